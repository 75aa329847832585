package h2

import "encoding/binary"

// setting is the name of a parameter (RFC 9113 §6.5.2).
type setting uint16

const (
	settingTableSize setting = 1 + iota
	settingPush
	settingStreams
	settingWindow
	settingFrame
	settingListSize
	settingConnect setting = 8 // RFC 8441 §3
)

func appendSettings(dst []byte, all [][2]uint32) []byte {
	dst = appendFrame(dst, 6*len(all), kindSettings, 0, 0)
	for _, s := range all {
		dst = binary.BigEndian.AppendUint16(dst, uint16(s[0]))
		dst = binary.BigEndian.AppendUint32(dst, s[1])
	}
	return dst
}

// settings takes in what the other side wants. Every frame of them is answered.
func (c *Conn) settings(f *frame) *ConnError {
	if f.has(flagAck) {
		return c.spend("SETTINGS")
	}
	c.settled = true
	for b := f.payload; len(b) > 0; b = b[6:] {
		if err := c.set(setting(binary.BigEndian.Uint16(b)), binary.BigEndian.Uint32(b[2:])); err != nil {
			return err
		}
	}
	c.out = appendFrame(c.out, 0, kindSettings, flagAck, 0)
	c.begun()
	return c.spend("SETTINGS")
}

func (c *Conn) set(s setting, value uint32) *ConnError {
	switch s {
	case settingTableSize:
		c.encoder.SetMaxDynamicTableSizeLimit(min(value, tableSize))
	case settingPush, settingConnect:
		if value > 1 || s == settingPush && value == 1 && c.o.Client {
			return fatal(ProtocolError, "a setting is neither 0 nor 1")
		}
		if s == settingConnect {
			c.peerConnect = value == 1
		}
	case settingStreams:
		c.peerStreams = value
	case settingWindow:
		return c.resize(value)
	case settingFrame:
		if value < maxFrame || value > 1<<24-1 {
			return fatal(ProtocolError, "a frame size that may not be set")
		}
		c.peerFrame = int(value)
	}
	return nil
}

// resize changes the windows of all streams by what their first size changes,
// which may make them negative (RFC 9113 §6.9.2).
func (c *Conn) resize(value uint32) *ConnError {
	if value > maxWin {
		return fatal(FlowControlError, "a window larger than may be")
	}
	by := int64(value) - c.peerWindow
	c.peerWindow = int64(value)
	for _, s := range c.streams {
		if s.window += by; s.window > maxWin {
			return fatal(FlowControlError, "a window larger than may be")
		}
		s.writes.signal()
	}
	return nil
}
