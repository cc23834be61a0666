package main

import (
	"cmp"
	"context"
	"fmt"

	"roadbook/push"
	"roadbook/push/fcm"
	"roadbook/push/mail"
	"roadbook/push/sms"
	"roadbook/push/webhook"
	"roadbook/push/wechat"
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
	if s.cfg.WeChatAppID != "" {
		all = append(all, wechat.New(wechat.Config{
			AppID: s.cfg.WeChatAppID, Secret: s.cfg.WeChatSecret.Reveal(), Template: s.cfg.WeChatTemplate, Field: s.cfg.WeChatField,
			Page: s.cfg.WeChatPage, Endpoint: cmp.Or(s.cfg.WeChatEndpoint, wechat.Endpoint), Ledger: s.consents(), Now: now,
		}))
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

// consents is the ledger of what people allow to be sent to them on WeChat.
func (s *server) consents() *push.Consents {
	var templates []string
	if s.cfg.WeChatTemplate != "" {
		templates = append(templates, s.cfg.WeChatTemplate)
	}
	return push.NewConsents(s.in.pool, templates, now)
}
