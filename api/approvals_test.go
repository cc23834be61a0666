package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/modules/approvals"
)

// As many decisions as one may send, and one more.
func TestApprove_limit(t *testing.T) {
	t.Parallel()

	s := newServer(nil)
	for n, want := range map[int]int{0: http.StatusBadRequest, approvals.MaxWords: http.StatusOK, approvals.MaxWords + 1: http.StatusBadRequest} {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(`{"approval":"0199b6a0-0000-7000-8000-%012d","decision":"approve"}`, i+1)
		}
		body := []byte(`{"decisions":[` + strings.Join(all, ",") + `]}`)
		answer := s.ask(t, http.MethodPost, "/v1/approvals/decide", "rep", body, "Idempotency-Key", "0199b6a0-0000-7000-8000-0000000000a1")
		require.Equal(t, want, answer.StatusCode, n)
	}
}
