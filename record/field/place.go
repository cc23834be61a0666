package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Limits of a place.
const (
	MaxLat              = 90
	MaxLng              = 180
	MaxAccuracyMetres   = 100_000 // worse than that says nothing about where it was
	MaxProviderRunes    = 32      // "network", "amap-fused": a word from the platform
	coordinatePrecision = 7       // digits after the point: a centimetre
)

var errSystem = errors.New("must be wgs84, gcj02 or bd09")

// place is a point on the earth and the coordinate system it is given in. The
// system is required: in China the same numbers in another one are half a
// kilometre away.
type place struct{}

var placeShape = shape{
	what: "a place with lat, lng and crs",
	parts: []part{
		{"lat", true, coordinate(MaxLat)},
		{"lng", true, coordinate(MaxLng)},
		{"crs", true, checkSystem},
		{"accuracy", false, between(0, MaxAccuracyMetres)},
		{"provider", false, label(MaxProviderRunes)},
		{"mock", false, as(boolean{})},
	},
}

// Check returns the place with its members in that order and the coordinates
// rounded to the centimetre.
func (place) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	return placeShape.check(raw)
}

// coordinate makes the check of a latitude or longitude. Rounding by way of
// decimal digits makes sure that what is rounded stays as it is.
func coordinate(limit float64) func(json.RawMessage) (json.RawMessage, error) {
	return func(raw json.RawMessage) (json.RawMessage, error) {
		x, err := bounded(raw, -limit, limit)
		if err == nil && shortDecimal(raw) && len(raw)-bytes.IndexByte(raw, '.')-1 <= coordinatePrecision {
			return raw, nil // it has no more digits than are kept
		}
		if err == nil {
			x, err = strconv.ParseFloat(strconv.FormatFloat(x, 'f', coordinatePrecision, 64), 64)
		}
		if err != nil {
			return nil, err
		}
		return formatNumber(x)
	}
}

// between makes the check of a number with bounds, both allowed.
func between(low, high float64) func(json.RawMessage) (json.RawMessage, error) {
	return func(raw json.RawMessage) (json.RawMessage, error) {
		x, err := bounded(raw, low, high)
		if err != nil {
			return nil, err
		}
		if shortDecimal(raw) {
			return raw, nil
		}
		return formatNumber(x)
	}
}

func bounded(raw json.RawMessage, low, high float64) (float64, error) {
	x, err := parseNumber(raw)
	if err == nil && (x < low || x > high) {
		err = fmt.Errorf("must be from %.0f to %.0f", low, high)
	}
	return x, err
}

func checkSystem(raw json.RawMessage) (json.RawMessage, error) {
	body, plain, err := unquote(raw)
	if err != nil {
		return nil, errSystem
	}
	switch string(body) {
	case "wgs84", "gcj02", "bd09":
		if plain {
			return trim(raw), nil
		}
		return quote(body), nil
	}
	return nil, errSystem
}
