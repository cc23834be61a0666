package localstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrs "go.etcd.io/bbolt/errors"
)

// FileName is the one file in a disk store's folder; a copy of it, made while
// nobody has it open, is a backup.
const FileName = "device.db"

// ErrTaken says that another process, or another device of this one, has the
// store open. Two writers would hand out the same numbers.
var ErrTaken = errors.New("the store is already open, here or in another process")

// ErrFull says that the disk has no room. Nothing of what was to be written is
// there.
var ErrFull = errors.New("the disk is full")

// Disk is a store in one bbolt file. Each Write is one transaction that is
// synced to the disk before it returns.
type Disk struct {
	db *bbolt.DB
}

// Open opens the store in a folder, and makes it if there is none. It is for
// the owner's eyes only, because it holds tokens and customers.
func Open(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the store's folder: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(dir, FileName), 0o600, &bbolt.Options{
		Timeout:      time.Nanosecond, // a taken lock is an error now, not in a while
		FreelistType: bbolt.FreelistMapType,
	})
	if errors.Is(err, bolterrs.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrTaken, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	return &Disk{db: db}, nil
}

// Load calls each for every key of a table, in order. Key and value are valid
// only during the call.
func (d *Disk) Load(table string, each func(key, value []byte) error) error {
	return d.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(table))
		if b == nil {
			return nil
		}
		return b.ForEach(each)
	})
}

// Write makes the whole batch, in order, in one transaction.
func (d *Disk) Write(batch []Write) error {
	if len(batch) == 0 {
		return nil
	}
	err := d.db.Update(func(tx *bbolt.Tx) error {
		for _, w := range batch {
			if err := write(tx, w); err != nil {
				return fmt.Errorf("table %s: %w", w.Table, err)
			}
		}
		return nil
	})
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("write to the store: %w: %w", ErrFull, err)
	}
	if err != nil {
		return fmt.Errorf("write to the store: %w", err)
	}
	return nil
}

func write(tx *bbolt.Tx, w Write) error {
	table := []byte(w.Table)
	if w.Key == nil {
		if err := tx.DeleteBucket(table); err != nil && !errors.Is(err, bolterrs.ErrBucketNotFound) {
			return err
		}
		return nil
	}
	b, err := tx.CreateBucketIfNotExists(table)
	if err != nil {
		return err
	}
	if w.Value == nil {
		return b.Delete(w.Key)
	}
	return b.Put(w.Key, w.Value)
}

// Close gives the store free for others.
func (d *Disk) Close() error { return d.db.Close() }
