package wire

// ItemPublic is what shoppers are told of HQ; its id is HQ's.
const ItemPublic ItemKind = 15 // Public

// Public is what shoppers are told of HQ. CardPage is where they open their card, without
// query; empty: where terminals themselves reach HQ.
type Public struct {
	CardPage string `cbor:"1,keyasint,omitempty"`
}
