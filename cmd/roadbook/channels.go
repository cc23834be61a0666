package main

import (
	"context"
	"fmt"

	"roadbook/push"
	"roadbook/push/fcm"
	"roadbook/push/mail"
	"roadbook/push/sms"
	"roadbook/push/webhook"
)

// channels are the ways to people that are set up, in the order in which they are
// tried: what costs nothing and rings in a pocket first.
func (s *server) channels(ctx context.Context) (all []push.Channel, err error) {
	if s.cfg.FCMProject != "" {
		ch, err := fcm.New(ctx, fcm.Config{
			Project: s.cfg.FCMProject, Credentials: s.cfg.FCMCredentials, Endpoint: s.cfg.FCMEndpoint, Now: now,
		})
		if err != nil {
			return nil, err
		}
		all = append(all, ch)
	}
	if s.cfg.WebhookURL != "" {
		all = append(all, webhook.New(webhook.Config{URL: s.cfg.WebhookURL, Secret: s.cfg.WebhookSecret.Reveal(), Now: now}))
	}
	if s.cfg.SMSURL != "" {
		all = append(all, sms.Channel{Provider: sms.NewHTTP(s.cfg.SMSURL, s.cfg.SMSToken.Reveal(), s.cfg.SMSSign)})
	}
	if server := s.cfg.SMTPURL.Reveal(); server != "" {
		ch, err := mail.New(mail.Config{Server: server, From: s.cfg.SMTPFrom, Within: mail.Within})
		if err != nil {
			return nil, fmt.Errorf("ROADBOOK_SMTP_URL: %w", err)
		}
		all = append(all, ch)
	}
	return all, nil
}
