package people

import "slices"

// Role is what a person does at HQ.
type Role string

// Roles.
const (
	Administrator Role = "administrator"
	Finance       Role = "finance"
	Marketing     Role = "marketing"
	Operations    Role = "operations"
	Support       Role = "support"
)

// Area is a part of HQ's work that a role may or may not change. Everybody who is
// signed in may look, but for AreaPersonal.
type Area string

// Areas.
const (
	AreaLook       Area = "look"       // read anything
	AreaProgramme  Area = "programme"  // rules, rewards, vouchers
	AreaRisk       Area = "risk"       // the caps for redeeming without HQ
	AreaMembers    Area = "members"    // enrol, block, issue again, adjust
	AreaFleet      Area = "fleet"      // stores and terminals
	AreaTrust      Area = "trust"      // let back in who was shut out
	AreaPeople     Area = "people"     // who may sign in
	AreaLoss       Area = "loss"       // confirm that a terminal is lost, as the second of two people
	AreaCases      Area = "cases"      // exceptions: whose they are, notes, how they were settled
	AreaCheck      Area = "check"      // approve, as the second of two people, what somebody proposed about exceptions
	AreaSettlement Area = "settlement" // parties, prices, fees, months
	AreaPersonal   Area = "personal"   // read what shoppers told about themselves: address, phone, consents
	AreaAccounts   Area = "accounts"   // transfers, merges, households, lists, sales of the web shop
)

var may = map[Role][]Area{
	Administrator: {AreaLook, AreaProgramme, AreaRisk, AreaMembers, AreaFleet, AreaTrust, AreaPeople, AreaLoss, AreaPersonal, AreaAccounts, AreaCases, AreaCheck, AreaSettlement},
	Finance:       {AreaLook, AreaRisk, AreaLoss, AreaCases, AreaCheck, AreaSettlement},
	Marketing:     {AreaLook, AreaProgramme},
	Operations:    {AreaLook, AreaFleet, AreaLoss, AreaCases},
	Support:       {AreaLook, AreaMembers, AreaPersonal, AreaCases},
}

// May tells whether the role lets its holder work in the area.
func (r Role) May(area Area) bool { return slices.Contains(may[r], area) }

// Areas are what the role lets its holder work in.
func (r Role) Areas() []Area { return slices.Clone(may[r]) }

// Known tells whether the role exists.
func (r Role) Known() bool { return may[r] != nil }
