package device

import "context"

// Reach says that a channel finds this device by a token from now on, so that its
// person is told of what he must know while he does not look at it.
func (d *Device) Reach(ctx context.Context, channel, token string) error {
	in := struct {
		Channel string `json:"channel"`
		Token   string `json:"token"`
	}{channel, token}
	d.net.Lock()
	defer d.net.Unlock()
	var answer struct{}
	return d.call(ctx, "/v1/push/channels", in, &answer)
}
