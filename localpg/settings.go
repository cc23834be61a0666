package localpg

import (
	"fmt"
	"maps"
	"slices"
)

const (
	leastBuffers = 128 << 20
	mostBuffers  = 2 << 30

	// maxOwed is how much of the WAL is kept for standbys and archives that are
	// away. Whoever is away for longer has to begin anew.
	maxOwed = "8GB"
)

// arguments are the command line of the server. Settings are given there and
// not in postgresql.conf, so that there is one place that has them.
func (s *Server) arguments() []string {
	settings := s.settings()
	args := []string{"-D", s.data, "-k", s.sock, "-p", s.port}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// settings are what measuring the write path taught; see docs/operations.md.
func (s *Server) settings() map[string]string {
	settings := map[string]string{
		"cluster_name":            "roadbook",
		"listen_addresses":        "", // the socket only: no port to clash over
		"unix_socket_permissions": "0700",

		"shared_buffers":               fmt.Sprintf("%dMB", buffers(memory())>>20),
		"max_wal_size":                 "4GB",
		"wal_compression":              s.compression,
		"max_slot_wal_keep_size":       maxOwed, // else an archive that is away fills the disk
		"checkpoint_timeout":           "15min",
		"checkpoint_completion_target": "0.9",
		"autovacuum_naptime":           "10s",
		"autovacuum_vacuum_cost_limit": "2000",
		"jit":                          "off",
		"tcp_keepalives_idle":          "15", // whoever goes without a word must not keep his locks
		"tcp_keepalives_interval":      "5",
		"tcp_keepalives_count":         "3",

		// The program reports the errors of its statements itself. In this
		// log they would only repeat what customers wrote.
		"log_min_messages": "log",
		"log_checkpoints":  "off",
		"log_line_prefix":  "%m [%p] ",
		"timezone":         "UTC",
		"log_timezone":     "UTC",
	}
	if s.cfg.Fast {
		maps.Copy(settings, map[string]string{
			"fsync": "off", "full_page_writes": "off",
			"shared_buffers": "128MB", "max_wal_size": "512MB",
		})
	}
	maps.Copy(settings, s.cfg.Settings)
	return settings
}

// buffers is a quarter of the memory within bounds, and modest if unknown.
func buffers(memory int64) int64 {
	if memory == 0 {
		return 2 * leastBuffers
	}
	return min(max(memory/4, leastBuffers), mostBuffers)
}
