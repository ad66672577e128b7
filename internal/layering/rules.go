package layering

// What the rules speak of more than once.
var (
	fiber   = []string{"github.com/gofiber", "github.com/valyala/fasthttp"}
	drivers = []string{
		"=database/sql", "github.com/uptrace/bun", "github.com/jackc/pgx", "modernc.org/sqlite",
		"github.com/mattn/go-sqlite3", "github.com/lib/pq",
	}
	cloud = []string{
		"cloud.google.com", "google.golang.org/api", "github.com/aws", "github.com/Azure",
	}
	// outside is what stands around the product and may know all of it.
	outside = []string{"./internal/sim", "./internal/testkit", "./internal/e2e", "./internal/bench", "./internal/quarter"}
)

// Rules is the whole table. "./x" is this module's room x with all below it,
// "std" the standard library, "*" any one path element, "=" that very path.
var Rules = []Rule{
	// The two ends meet on the wire and nowhere else.
	Never{
		Rooms: []string{"./edge"}, Import: []string{"./server"}, InTests: true,
		Because: "a till is installed, updated and broken into without HQ; they meet in sync/wire",
	},
	Never{
		Rooms: []string{"./server"}, Import: []string{"./edge"}, InTests: true,
		Because: "HQ re-checks what tills say and must not share their code; they meet in sync/wire",
	},
	Never{
		Rooms: []string{"./wallet", "./sync", "./internal/clock", "./internal/keys", "./internal/problem", "./internal/loyalty"}, Import: []string{"./edge", "./server", "./cmd"},
		Because: "both ends stand on these rooms, so they know neither",
	},

	// Each heavy library has one door.
	Only{
		Import: fiber, By: []string{"./*/api"},
		Because: "HTTP handlers are the outermost layer; use cases take plain values",
	},
	Only{
		Import: []string{"github.com/dgraph-io/badger", "github.com/dgraph-io/ristretto"}, By: []string{"./edge/cache", "./internal/bench"},
		Because: "the cache can be thrown away; only its own room may depend on how it is kept (the benchmark measures against it)",
	},
	Only{
		Import: drivers, By: append([]string{"./server/store"}, outside...),
		Because: "one room knows SQL, so one room is read when a statement must keep to its shard",
	},
	Only{
		Import: outside, By: append([]string{"./cmd/fleet"}, outside...),
		Because: "what fakes, breaks or simulates the product never ships in it",
	},
	Without{
		Program: "./cmd/edge", Of: append(append([]string{"./server"}, drivers...), cloud...),
		Because: "the edge agent is small: no SQL, no cloud SDK, nothing of HQ",
	},
	Never{
		Rooms: []string{"./cmd"}, Import: fiber,
		Because: "commands read flags, build the parts and start them; serving is the api rooms' work",
	},

	// The bottom rooms and all they may know.
	Knows{
		Room: "./internal/loyalty", May: []string{"std", "cel.dev/cel-go", "github.com/google/cel-go"},
		Because: "the one place where a decision is made is pure: standard library and CEL",
	},
	Never{
		Rooms: []string{"./internal/loyalty"}, Import: []string{"os", "net", "crypto/rand", "math/rand", "=database/sql", "log", "syscall"},
		Because: "a decision reads no disk, no network and no dice; what it needs is passed in",
	},
	Knows{
		Room: "./internal/clock", May: []string{"std"},
		Because: "everything stands on the clock, the clock on nothing",
	},
	Knows{
		Room: "./internal/keys", May: []string{"std", "golang.org/x/crypto"},
		Because: "who verifies must be readable in one sitting",
	},
	Knows{
		Room: "./internal/pin", May: []string{"std", "golang.org/x/crypto"},
		Because: "HQ makes the hash of a PIN and a till checks it; neither is known here",
	},
	Knows{
		Room: "./internal/problem", May: []string{"std"},
		Because: "every room names its errors from this table, so the table knows no room",
	},
	Knows{
		Room: "./server/liability", May: []string{
			"std", "./internal/loyalty", "./internal/clock", "./internal/problem", "./internal/currency", "./sync/entry",
			"./sync/wire", "./sync/journal", "./internal/cursortext", "./server/ledger", "./server/hqjournal", "./server/shard", "github.com/google/uuid",
		},
		Because: "what is owed is worked out from what the ledger posted, and from nothing that anybody else says of it",
	},
	Knows{
		Room: "./server/rounds", May: []string{"std"},
		Because: "when a background task runs is one thing, what it does another",
	},
	Knows{
		Room: "./internal/web", May: []string{"std"},
		Because: "built pages are bytes; what they mean is the api rooms' business",
	},
	Knows{
		Room: "./wallet/passtoken", May: []string{
			"std", "./internal/keys", "./internal/problem",
			"github.com/google/uuid", "github.com/skip2/go-qrcode",
		},
		Because: "a second implementation is written from this room and the page beside it",
	},
	Knows{
		Room: "./internal/quarter/truth", May: []string{"std"},
		Because: "what HQ says is held against it; a fault that both share would not show",
	},
	Knows{
		Room: "./internal/cursortext", May: []string{"std"},
		Because: "how a cursor is written has nothing to do with what it says",
	},
	Knows{
		Room: "./cmd/verify", May: []string{"std", "github.com/fxamacker/cbor"},
		Because: "an auditor who does not trust this code reads it in one sitting",
	},
	Knows{
		Room: "./server/posbooks/match", May: []string{"std"},
		Because: "which sale is which is decided on rows that are passed in, wherever they come from",
	},
	Knows{
		Room: "./wallet/face", May: []string{"std", "github.com/google/uuid"},
		Because: "every wallet shows the same face, so it knows none of them",
	},
	Knows{
		Room: "./wallet/apple/apns", May: []string{"std", "./wallet/apple/passtype", "github.com/golang-jwt/jwt"},
		Because: "a push says nothing about passes, so its sender knows nothing of them",
	},
	Knows{
		Room: "./wallet/apple/passtype", May: []string{"std"},
		Because: "who signs and who pushes read a certificate alike, so this knows neither",
	},
	Never{
		Rooms: []string{"=./wallet/apple"}, Import: []string{"os", "net/http", "log", "./internal/problem", "./internal/keys"},
		Because: "a pass is made of what is passed in; who reads files, fetches and pushes stands around it",
	},
	Only{
		Import: []string{"software.sslmate.com/src/go-pkcs12"}, By: []string{"./wallet/apple"},
		Because: "certificates come as foreign files; one room reads them and bounds what they may ask",
	},
	Knows{
		Room: "./wallet/brand", May: []string{"std", "./wallet/face", "./internal/problem", "golang.org/x/image"},
		Because: "pictures are made of a brand and a face; which phone shows them, and where they are kept, is others' business",
	},
	Knows{
		Room: "./wallet/google", May: []string{
			"std", "./wallet/face", "./wallet/brand", "./internal/clock", "./internal/currency",
			"github.com/golang-jwt/jwt", "github.com/google/uuid",
		},
		Because: "what Google is told of is a face and a brand; no cloud SDK is needed for eight calls",
	},
	Knows{
		Room: "./internal/currency", May: []string{"std"},
		Because: "tills, receipts and passes write the same amount alike, so this knows none of them",
	},
	Knows{
		Room: "./wallet/printed", May: []string{"std", "./wallet/face", "./wallet/brand", "./wallet/passtoken", "./internal/typeface", "golang.org/x/image", "golang.org/x/text", "github.com/go-pdf/fpdf"},
		Because: "a card on paper is made of a brand and a face, like those in phones",
	},
	Knows{
		Room: "./internal/typeface", May: []string{"std", "golang.org/x/image", "golang.org/x/text"},
		Because: "what a font can draw has nothing to do with what is drawn",
	},
	Never{
		Rooms: []string{"./server/paper"}, Import: []string{"os", "=net/http", "log", "context"},
		Because: "a paper is made of what is passed in; who reads the books and answers strangers stands around it",
	},
	Knows{
		Room: "./wallet/doctor", May: []string{"std", "./wallet/brand"},
		Because: "findings are made of facts that are passed in; who opens files and asks servers stands around it",
	},
	Knows{
		Room: "./sync/entry", May: []string{
			"std", "./internal/clock",
			"github.com/fxamacker/cbor", "github.com/google/uuid",
		},
		Because: "entry bytes are final; what shapes them is kept in sight",
	},
	Knows{
		Room: "./sync/daybook", May: []string{"std", "./sync/entry", "github.com/google/uuid"},
		Because: "both ends add up the same entries and must get the same sums",
	},
	Knows{
		Room: "./sync/journal", May: []string{
			"std", "./internal/keys", "./internal/clock", "./internal/problem",
			"github.com/google/uuid", "golang.org/x/sys",
		},
		Because: "the truth on a terminal: bytes, hashes and files, nothing that decides",
	},
	Knows{
		Room: "./sync/wire", May: []string{
			"std", "./sync/entry", "./sync/journal", "./internal/keys", "./internal/clock", "./internal/problem", "./internal/loyalty", "./internal/pin",
			"github.com/fxamacker/cbor", "github.com/google/uuid", "github.com/klauspost/compress", "github.com/golang-jwt/jwt",
		},
		Because: "messages and their proofs, without what either end does with them; the types a decision rests on exist once, in loyalty",
	},
	Never{
		Rooms: []string{"./sync", "./wallet/passtoken"}, Import: []string{"=net/http", "=database/sql"},
		Because: "bytes and proofs travel by HTTP, by the store's LAN and by file; they know none of the three",
	},

	// Inside each end, use cases do not know their adapters.
	Never{
		Rooms: []string{"./edge/till"}, Import: []string{"./edge/cache", "./edge/lan", "./edge/syncer", "./edge/print", "./edge/api", "=net/http"},
		Because: "the till's use cases name the small store they need; adapters come to them",
	},
	Never{
		Rooms: []string{"./edge/print"}, Import: []string{"./edge/cache", "./edge/lan", "./edge/syncer", "./edge/api", "=net/http"},
		Because: "a receipt is made of what the till says, and a printer decides nothing",
	},
	Only{
		Import: []string{"./server/store"}, By: append([]string{"./cmd/hq", "./cmd/fleet"}, outside...),
		Because: "HQ's rooms name the storage they need; cmd/hq brings server/store to them",
	},
	Knows{
		Room: "./server/settlement/clearing", May: []string{
			"std", "./internal/loyalty", "./internal/problem", "./internal/currency", "./sync/entry", "./sync/journal", "github.com/google/uuid",
		},
		Because: "what a posting is worth is arithmetic; who follows the ledger and keeps months stands around it",
	},
	Only{
		Import: []string{"./edge/api", "./server/api"}, By: append([]string{"./cmd"}, outside...),
		Because: "handlers call use cases, never the other way",
	},

	NoGoFiles{
		Folder:  "./sync",
		Because: "a package named sync would clash with the standard library's",
	},
}
