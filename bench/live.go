package bench

import "context"

func takeLive(context.Context, *world) ([]Row, error)    { return nil, errLeftOut }
func takeSockets(context.Context, *world) ([]Row, error) { return nil, errLeftOut }
