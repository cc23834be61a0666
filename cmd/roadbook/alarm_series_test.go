package main

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// grown is by how much counters have grown in the last while, or have a second.
// It extrapolates as Prometheus does: as far as the window's ends, but by no more
// than half a scrape where the series began or ended within it, and not to below
// nothing.
func (e *expression) grown(name string, match func(string, sample) bool, window time.Duration, each bool) []sample {
	type point struct {
		at    time.Duration
		value float64
	}
	points, labels := map[string][]point{}, map[string]sample{}
	for _, scrape := range e.scrapes {
		if e.at-scrape.at >= window {
			continue
		}
		for _, s := range scrape.samples {
			if match(name, s) {
				points[s.key()] = append(points[s.key()], point{scrape.at, s.value})
				labels[s.key()] = s.grouped(nil)
			}
		}
	}
	var out []sample
	for key, all := range points {
		if len(all) < 2 {
			continue
		}
		first, last := all[0], all[len(all)-1]
		grown := 0.0
		for i, p := range all[1:] {
			if grown += p.value - all[i].value; p.value < all[i].value { // it began anew
				grown += all[i].value
			}
		}
		took := (last.at - first.at).Seconds()
		between := took / float64(len(all)-1)
		before, after := (first.at - (e.at - window)).Seconds(), (e.at - last.at).Seconds()
		if before >= between*1.1 {
			before = between / 2
		}
		if grown > 0 {
			before = min(before, took*first.value/grown)
		}
		if after >= between*1.1 {
			after = between / 2
		}
		s := labels[key]
		if s.value = grown * (took + before + after) / took; each {
			s.value /= window.Seconds()
		}
		out = append(out, s)
	}
	return out
}

// quantile is within which a share of what a histogram has counted lies.
func quantile(q float64, buckets []sample) (out []sample) {
	histograms := map[string][]sample{}
	for _, b := range buckets {
		rest := maps.Clone(b.labels)
		delete(rest, "le")
		key := sample{labels: rest}.key()
		histograms[key] = append(histograms[key], b)
	}
	for _, all := range histograms {
		slices.SortFunc(all, func(a, b sample) int { return int(math.Copysign(1, bound(a)-bound(b))) })
		s := all[0].grouped(nil)
		delete(s.labels, "le")
		s.value = within(q*all[len(all)-1].value, all)
		out = append(out, s)
	}
	return out
}

func within(rank float64, buckets []sample) float64 {
	from, below := 0.0, 0.0
	for i, b := range buckets {
		switch {
		case buckets[len(buckets)-1].value == 0:
			return math.NaN()
		case b.value < rank:
			from, below = bound(b), b.value
		case i == len(buckets)-1:
			return bound(buckets[i-1])
		default:
			return from + (bound(b)-from)*(rank-below)/(b.value-below)
		}
	}
	return math.NaN()
}

func bound(bucket sample) float64 {
	le, err := strconv.ParseFloat(bucket.labels["le"], 64)
	must(err)
	return le
}
