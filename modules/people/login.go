package people

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

// Limits of what a device says of itself; it is shown to administrators.
const (
	maxPlatformRunes = 64
	maxAppRunes      = 32
)

// deviceKinds are the sorts of device there are.
func deviceKinds() []string { return []string{"phone", "mini", "web", "connector"} }

// signIn is a login request that has the right form.
type signIn struct {
	orgName, login, password string
	install                  record.ID
	device                   wire.DeviceInfo
	fresh                    bool
}

// Login signs a person in on a device. The same install gets the same device
// and the same replica, unless it asks for a fresh one; its earlier sessions
// end. A wrong organisation, an unknown name, a wrong password and a person
// who has left get one and the same answer, in about the same time.
//
// After maxLoginFailures wrong passwords for one name, or maxAddressFailures
// from one address, the answer is limited, code locked, until enough of them
// are older than failureWindow; the error's chain says when (RetryAfter).
func (s *Service) Login(ctx context.Context, in *wire.LoginRequest, remoteIP string) (*wire.LoginAnswer, error) {
	req, err := readLogin(in)
	if err != nil {
		return nil, err
	}
	acc, err := s.db.account(ctx, req.orgName, req.login)
	if err != nil {
		return nil, err
	}
	if err := s.checkPassword(ctx, req, acc, remoteIP); err != nil {
		return nil, err
	}
	return s.admit(ctx, req, acc)
}

// readLogin reports everything that is wrong with a request's form at once.
func readLogin(in *wire.LoginRequest) (signIn, error) {
	req := signIn{
		orgName:  strings.TrimSpace(in.Org),
		login:    foldLogin(in.User),
		password: in.Password,
		device:   in.Device,
		fresh:    in.Fresh,
	}
	var faults []errs.Field
	fault := func(field, detail string) {
		if detail != "" {
			faults = append(faults, errs.Field{Field: field, Detail: detail})
		}
	}
	fault("org", nameFault(req.orgName))
	fault("user", nameFault(req.login))
	if req.password == "" || len(req.password) > maxPasswordBytes {
		fault("password", "is missing or too long")
	}
	var err error
	if req.install, err = record.ParseID(in.Device.Install); err != nil || req.install.IsZero() {
		fault("device.install", "must be a UUID")
	}
	if !slices.Contains(deviceKinds(), in.Device.Kind) {
		fault("device.kind", "must be one of "+strings.Join(deviceKinds(), ", "))
	}
	fault("device.platform", labelFault(in.Device.Platform, maxPlatformRunes))
	fault("device.app", labelFault(in.Device.App, maxAppRunes))
	if len(faults) > 0 {
		return signIn{}, errs.New("people.Login", errs.Invalid, "the sign-in is not complete").
			Coded("login").Of(faults...)
	}
	return req, nil
}

func labelFault(text string, maxRunes int) string {
	if utf8.RuneCountInString(text) > maxRunes || !plain(text) {
		return "is too long, or not plain text"
	}
	return ""
}

// checkPassword takes the same steps whether or not there is such a person.
func (s *Service) checkPassword(ctx context.Context, req signIn, acc account, remoteIP string) error {
	stored := decoy()
	if acc.password != "" {
		var err error
		if stored, err = parseHash(acc.password); err != nil {
			return err
		}
	}
	leave, err := s.seat(ctx)
	if err != nil {
		return err
	}
	defer leave()
	report, err := s.guard(ctx, loginSubject(acc.org, req.orgName, req.login), remoteIP)
	if err != nil {
		return err
	}
	right := stored.matches(req.password) && acc.password != "" && acc.person.Active
	if err := report(right); err != nil {
		return err
	}
	if !right {
		return errs.New("people.Login", errs.Anonymous, "the organisation, the name or the password is wrong").
			Coded("credentials")
	}
	return nil
}

// account is what is known of a login. Without such a login it is empty; the
// org may be known all the same.
type account struct {
	org      record.OrgID
	password string // as a PHC string; "" if there is none
	person   store.Person
}

// admitted is what a sign-in has made or found.
type admitted struct {
	family  family
	replica store.Replica
	log     store.Log
}

// admit makes the session of somebody whose password was right.
func (s *Service) admit(ctx context.Context, req signIn, acc account) (*wire.LoginAnswer, error) {
	now := s.now()
	session := s.newID()
	refresh := newRefresh(acc.org, session, s.newToken())
	got, err := s.db.admit(ctx, req, family{
		org:     acc.org,
		id:      session,
		person:  acc.person.ID,
		device:  s.newID(), // unless the install has one
		install: req.install,
		next:    [][]byte{hashToken(refresh)},
		expires: now.Add(refreshLifetime),
	}, now, s.draw)
	if err != nil {
		return nil, err
	}
	token, err := s.accessToken(got.family, acc.person.Roles, now)
	if err != nil {
		return nil, err
	}
	return &wire.LoginAnswer{
		AccessToken:  token,
		ExpiresIn:    int(accessLifetime.Seconds()),
		RefreshToken: refresh,
		Actor:        wire.Actor{ID: acc.person.ID, Name: acc.person.Name, Roles: acc.person.Roles},
		Device:       got.family.device,
		Replica:      got.replica.Name,
		NextN:        got.replica.N + 1,
		JudgedID:     got.replica.LastID.String(),
		Epoch:        got.log.Epoch,
		Schema:       got.log.Schema,
		ServerTime:   now.UTC(),
	}, nil
}
