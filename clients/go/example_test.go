package device_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	device "roadbook/clients/go"
	"roadbook/record"
)

// A rep in a lift: what he types is there at once, and waits for the network.
func Example() {
	phone, err := device.Open(device.Config{
		Now:   func() time.Time { return time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC) },
		NewID: func() record.ID { return record.ID(uuid.Must(uuid.NewV7())) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	shop, _ := phone.Create("account", device.Values{"name": "兴旺超市", "tags": []string{"冷链"}})
	_ = phone.Edit("account", shop, func(d *device.Draft) {
		d.Set("remark", "wants a freezer")
		d.Add("tags", "重点")
	})

	view, _ := phone.Get(shop)
	fmt.Println(view.Text("name"), view.Texts("tags"), view.Pending)
	for _, m := range phone.Outbox() {
		fmt.Println(m.N, m.Edits[0].Op)
	}
	// Output:
	// 兴旺超市 [冷链 重点] true
	// 1 create
	// 2 edit
}
