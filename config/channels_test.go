package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/config"
)

// What belongs together is asked for together, and a secret is never repeated.
func TestRead_channels(t *testing.T) {
	t.Parallel()

	for _, bad := range [][]string{
		{"ROADBOOK_WEBHOOK_URL=https://example.com/hook"},
		{"ROADBOOK_WEBHOOK_URL=https://example.com/hook", "ROADBOOK_WEBHOOK_SECRET=short"},
		{"ROADBOOK_WEBHOOK_URL=example.com", "ROADBOOK_WEBHOOK_SECRET=long enough for anybody"},
		{"ROADBOOK_SMS_URL=ftp://hunter2@example.com"},
		{"ROADBOOK_SMTP_URL=smtp://lin:hunter2@example.com"},
	} {
		_, err := config.Read(bad)
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err := config.Read([]string{
		"ROADBOOK_WEBHOOK_URL=https://example.com/hook", "ROADBOOK_WEBHOOK_SECRET=long enough for anybody",
		"ROADBOOK_SMS_URL=http://127.0.0.1:9/sms", "ROADBOOK_SMTP_URL=smtp://lin:hunter2@example.com", "ROADBOOK_SMTP_FROM=x@example.com",
	})
	require.NoError(t, err)
}
