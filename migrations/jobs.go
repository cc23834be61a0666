package migrations

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// The step that makes the tables of the queue of jobs, and up to which of River's
// own steps. A later River that needs more of them is another step.
const (
	jobsStep    = 12
	jobsVersion = 8
)

// goSteps are those that are not SQL. River keeps account of its own steps, so
// that this one may be taken up where it was interrupted.
func goSteps(pool *pgxpool.Pool) []*goose.Migration {
	up := func(ctx context.Context, _ *sql.DB) error {
		m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
		if err != nil {
			return fmt.Errorf("the steps of the queue of jobs: %w", err)
		}
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: jobsVersion})
		return err
	}
	return []*goose.Migration{goose.NewGoMigration(jobsStep, &goose.GoFunc{RunDB: up}, nil)}
}
