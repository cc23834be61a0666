package config

import (
	"errors"
	"net/url"
)

// checkHTTP never repeats the text: it may hold a password.
func checkHTTP(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("must look like https://host/path")
	}
	return nil
}

// checkWith is for what must be there as soon as something else is.
func checkWith(other string, err error, text string) error {
	if other != "" && text == "" {
		return errors.New("must be set as well")
	}
	return err
}
