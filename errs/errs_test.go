package errs_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
)

func TestKindOf(t *testing.T) {
	t.Parallel()

	cause := errors.New("connection reset")
	busy := errs.New("pg.InTx", errs.Busy, "the database is restarting").Coded("restart").Because(cause)
	wrapped := fmt.Errorf("push: %w", busy)

	require.Equal(t, errs.Busy, errs.KindOf(wrapped))
	require.Equal(t, "restart", errs.CodeOf(wrapped))
	require.ErrorIs(t, wrapped, cause)
	require.Equal(t, errs.Internal, errs.KindOf(cause), "nobody has vouched for it")
	require.Empty(t, errs.CodeOf(cause))
}

func TestError_copies(t *testing.T) {
	t.Parallel()

	base := errs.New("sync.Commit", errs.Invalid, "%d changes at once", 501)
	named := base.Coded("many").Of(errs.Field{Field: "mutations", Detail: "at most 500"})

	require.Empty(t, base.Code, "the original is untouched")
	require.Empty(t, base.Fields)
	require.Equal(t, "sync.Commit: 501 changes at once", named.Error())
	require.Len(t, named.Fields, 1)
}

func ExampleKindOf() {
	err := errs.New("people.SignIn", errs.Anonymous, "the password is wrong")
	fmt.Println(errs.KindOf(fmt.Errorf("login: %w", err)))
	// Output: anonymous
}
