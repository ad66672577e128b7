package doctor

import (
	"maps"
	"slices"
)

// Code names what was looked at. docs/wallet-setup.md has a row for each.
type Code string

// What is looked at.
const (
	NothingSet     Code = "nothing_set"
	SelfMade       Code = "self_made"
	AppleFiles     Code = "apple_files"
	AppleExpiry    Code = "apple_expiry"
	AppleSigns     Code = "apple_signs"
	ApplePush      Code = "apple_push"
	AppleService   Code = "apple_service"
	GoogleFiles    Code = "google_files"
	GoogleToken    Code = "google_token"
	GoogleIssuer   Code = "google_issuer"
	GoogleCallback Code = "google_callback"
	PublicURL      Code = "public_url"
	Reachable      Code = "reachable"
	ClockOff       Code = "clock_off"
	Pictures       Code = "pictures"
)

// Advice is why a finding matters and what to do about it.
type Advice struct{ Why, Do string }

var advices = map[Code]Advice{
	NothingSet: {
		"Shoppers get the web card and the printed card only.",
		"Give the flags of Apple, of Google, or --wallet-self-made to try everything on this machine.",
	},
	SelfMade: {
		"No real phone accepts passes of a self-made authority; Apple's Wallet refuses them without a word.",
		"Use it to try things out. For real phones give the files of your Apple Developer account and leave --wallet-self-made out.",
	},
	AppleFiles: {
		"Passes signed with files that do not belong together are refused by every iPhone.",
		"Export certificate and key again from one place, and take the WWDR certificate that issued yours from apple.com/certificateauthority.",
	},
	AppleExpiry: {
		"After that day no pass can be issued or updated, and pushes by certificate are refused. Installed passes stay as they are.",
		"Make a new certificate for the same pass type id in the Apple Developer console, put it in place of the old one and restart hq serve.",
	},
	AppleSigns: {
		"A pass that cannot be built cannot be downloaded.",
		"Read the reason; most often a picture or a file is missing or cut short.",
	},
	ApplePush: {
		"Without pushes iPhones show old balances until the shopper pulls the pass down.",
		"Allow TCP 443 to api.push.apple.com, and give the certificate that signs the passes or a .p8 key of the same team.",
	},
	AppleService: {
		"iPhones send a pass's registration to the address in it, and only over https. An address on this machine reaches nobody.",
		"Set --public-url to the https address at which phones reach this HQ. Passes already issued keep the old address until they are downloaded again.",
	},
	GoogleFiles: {
		"Without the service account's key nothing can be sent to Google.",
		"Download a new JSON key for the service account in the Google Cloud console and name it with --google-service-account.",
	},
	GoogleToken: {
		"Without an access token no card reaches Google Wallet and none is updated.",
		"Enable the Google Wallet API in the project of the service account, check that its key was not deleted and that the clock is right, and allow TCP 443 to oauth2.googleapis.com.",
	},
	GoogleIssuer: {
		"Google refuses every card of an issuer that the service account does not belong to.",
		"In the Google Pay & Wallet console copy the issuer id, and add the service account's mail address under Users with the role Developer.",
	},
	GoogleCallback: {
		"Google tells HQ at this address that a card was saved or deleted, and only over https. Without it the console does not know who has the card.",
		"Set --public-url to an https address that Google reaches, and let robots.txt allow Googlebot below /wallet/google.",
	},
	PublicURL: {
		"Links in mails, passes and save links begin with this address. Phones ask for https.",
		"Set --public-url to the https address at which shoppers reach this HQ.",
	},
	Reachable: {
		"When HQ does not reach its own public address, phones most likely do not either.",
		"Check DNS, the proxy in front and its certificate. From some networks the own public address cannot be reached at all; then ask from another machine.",
	},
	ClockOff: {
		"Access tokens, rotating codes and the time in a signature are refused when the clock is wrong.",
		"Have the machine keep its time by NTP (timedatectl set-ntp true).",
	},
	Pictures: {
		"A missing icon makes iPhones refuse a pass; a picture of another size is stretched or cut.",
		"Upload the picture again in the console under Branding; a PNG of at least the size named there.",
	},
}

// Codes returns all codes, in order of their names.
func Codes() []Code { return slices.Sorted(maps.Keys(advices)) }
