package proxy

// Room is how many client connections there may be at once where limit (0 is
// none) is wanted: never more than half of the descriptors, as each client may
// need one to an endpoint too. Without descriptors nobody could be answered,
// not even that there are none.
func Room(limit int) int { return roomIn(descriptors(), limit) }

// spareDescriptors, and this part of all, are for all that is neither: listeners,
// logs, the engine, and clients that are told that there is no room.
const (
	spareDescriptors = 64
	sparePart        = 32
)

func roomIn(descriptors, limit int) int {
	if descriptors == 0 {
		return limit
	}
	room := max((descriptors-descriptors/sparePart-spareDescriptors)/2, 1)
	if limit > 0 {
		room = min(room, limit)
	}
	return room
}
