package api

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
)

// areas says which area of HQ's work each operation belongs to. An operation that
// is not here is refused to everybody; a test holds the table to the document.
var areas = map[string]people.Area{
	"EndSession": people.AreaLook, "GetMe": people.AreaLook,
	"GetRuleSet": people.AreaLook, "PutRuleSet": people.AreaProgramme,
	"GetPolicy": people.AreaLook, "PutPolicy": people.AreaRisk,
	"GetTiers": people.AreaLook, "PutTiers": people.AreaProgramme, "PreviewTiers": people.AreaLook, "GetMemberTier": people.AreaLook,
	"CreateStore": people.AreaFleet, "PlaceStore": people.AreaFleet, "ListStores": people.AreaLook, "GetStore": people.AreaLook,
	"CreateCashier": people.AreaFleet, "ListCashiers": people.AreaLook, "GetCashier": people.AreaLook, "ChangeCashier": people.AreaFleet,
	"GetTillRules": people.AreaLook, "PutTillRules": people.AreaFleet,
	"CreateTerminal": people.AreaFleet, "ListTerminals": people.AreaLook, "GetTerminal": people.AreaLook,
	"CreateEnrolmentCode": people.AreaFleet, "CreateTie": people.AreaMembers, "RevokeTerminal": people.AreaFleet, "RetireTerminal": people.AreaFleet, "ReinstateTerminal": people.AreaTrust,
	"DeclareLost": people.AreaFleet, "ConfirmLost": people.AreaLoss, "WithdrawLost": people.AreaLoss, "GetLost": people.AreaLook,
	"CreateMember": people.AreaMembers, "CreateMembers": people.AreaMembers,
	"ListMembers": people.AreaLook, "GetMember": people.AreaLook, "ListMemberHistory": people.AreaLook,
	"GetMemberHolder": people.AreaPersonal, "FindMembers": people.AreaPersonal,
	"GetPass": people.AreaMembers, "GetPassPNG": people.AreaMembers, "GetPassSVG": people.AreaMembers,
	"BlockMember": people.AreaMembers, "UnblockMember": people.AreaMembers, "ReissuePass": people.AreaMembers, "IssueWalletPass": people.AreaMembers,
	"CreateAdjustment": people.AreaMembers,
	"CreateReward":     people.AreaProgramme, "ListRewards": people.AreaLook,
	"GetReward": people.AreaLook, "ChangeReward": people.AreaProgramme,
	"CreateVoucher": people.AreaProgramme, "ListVouchers": people.AreaLook, "GetVoucher": people.AreaLook,
	"GetMemberAccount": people.AreaLook, "GetMemberBalances": people.AreaLook,
	"CreateTransfer": people.AreaAccounts, "GetTransfer": people.AreaLook, "MergeMember": people.AreaAccounts,
	"CreateHousehold": people.AreaAccounts, "GetHousehold": people.AreaLook, "JoinHousehold": people.AreaAccounts,
	"GetAccountLink": people.AreaLook, "EndAccountLink": people.AreaAccounts,
	"CreateAdjustmentList": people.AreaAccounts, "GetAdjustmentList": people.AreaLook, "ListAdjustmentRows": people.AreaLook,
	"CommitAdjustmentList": people.AreaAccounts, "UndoAdjustmentList": people.AreaAccounts,
	"CreateQuote": people.AreaAccounts, "CreateSale": people.AreaAccounts, "GetSale": people.AreaLook, "VoidSale": people.AreaAccounts, "CreateReturn": people.AreaAccounts,
	"ListEntries": people.AreaLook, "GetEntry": people.AreaLook,
	"ListExceptions": people.AreaLook, "GetException": people.AreaLook, "DecideExceptions": people.AreaRisk,
	"CreateClaim":   people.AreaAccounts,
	"ListDayCloses": people.AreaLook, "ListStoreDays": people.AreaLook, "ListStoreCalendars": people.AreaLook, "GetDayCertificate": people.AreaLook, "GetDayCertificatePDF": people.AreaLook,
	"GetDayWaterfall": people.AreaLook, "ListDayEntries": people.AreaLook,
	"ListParties": people.AreaLook, "CreateParty": people.AreaSettlement, "PutParty": people.AreaSettlement,
	"ListSettlementTerms": people.AreaLook, "CreateSettlementTerm": people.AreaSettlement,
	"ListSettlementMonths": people.AreaLook, "GetSettlementMonth": people.AreaLook, "PreviewSettlementMonth": people.AreaLook, "DraftSettlementMonth": people.AreaSettlement, "LockSettlementMonth": people.AreaSettlement,
	"ListStatements": people.AreaLook, "GetStatement": people.AreaLook, "ListStatementLines": people.AreaLook, "GetStatementFile": people.AreaLook,
	"ListLinePostings": people.AreaLook, "GetSettlementBooks": people.AreaLook,
	"ListPosMappings": people.AreaLook, "CreatePosMapping": people.AreaCases, "ChangePosMapping": people.AreaCases, "DeletePosMapping": people.AreaCases,
	"CreatePosImport": people.AreaCases, "GetPosImport": people.AreaLook, "AddPosPart": people.AreaCases, "PreviewPosImport": people.AreaCases, "RunPosImport": people.AreaCases, "CancelPosImport": people.AreaCases,
	"CountPosResults": people.AreaLook, "ListPosDays": people.AreaLook, "MatchPosDays": people.AreaCases, "DecidePosResults": people.AreaCases, "GetStatementPDF": people.AreaLook,
	"GetTrialBalance": people.AreaLook, "GetStatus": people.AreaLook,
	"GetConsoleSession": people.AreaLook, "GetHome": people.AreaLook, "ListDays": people.AreaLook, "GetExposureTrend": people.AreaLook,
	"GetList": people.AreaLook, "GetListFile": people.AreaLook, "StreamConsoleEvents": people.AreaLook, "GetEntryProof": people.AreaLook,
	"GetExceptionWork": people.AreaLook, "OwnException": people.AreaCases, "CommentException": people.AreaCases,
	"ResolveException": people.AreaCases, "ReopenException": people.AreaCases,
	"GetExceptionEvidence": people.AreaLook, "AssignException": people.AreaCases, "SetExceptionDue": people.AreaCases, "SetExceptionLiable": people.AreaCases,
	"ProposeAboutException": people.AreaCases, "DecideProposal": people.AreaCases, "PreviewBulk": people.AreaCases, "WorkInBulk": people.AreaCases,
	"GetExceptionAgeing": people.AreaLook, "GetCasePolicy": people.AreaLook, "ProposeCasePolicy": people.AreaRisk, "ListCaseRules": people.AreaLook,
	"ProposeCaseRule": people.AreaRisk, "PreviewCaseRule": people.AreaRisk, "StopCaseRule": people.AreaCases, "DecideCaseSetting": people.AreaRisk,
	"QuarantineTerminal": people.AreaFleet, "PreviewPolicy": people.AreaLook,
	"ListMails":  people.AreaTrust,
	"ListPasses": people.AreaLook, "GetPassFunnel": people.AreaLook, "ListPassLog": people.AreaLook, "GetPassLags": people.AreaLook, "GetWallets": people.AreaLook,
	"VoidWalletPass": people.AreaMembers, "ResendWalletPass": people.AreaMembers, "LoseWalletPhone": people.AreaMembers, "TakeBackVoucher": people.AreaMembers,
	"CreatePerson": people.AreaPeople, "ListPeople": people.AreaLook, "SetPassword": people.AreaPeople, "ShutOutPerson": people.AreaPeople, "SetRole": people.AreaPeople,
	"GetBranding": people.AreaLook, "CheckBranding": people.AreaLook, "GetBrandingPreview": people.AreaLook, "GetBrandingPicture": people.AreaLook,
	"PutBranding": people.AreaProgramme, "AddBrandingPicture": people.AreaProgramme,
	"GetMemberCardPDF": people.AreaMembers, "GetMemberCardPNG": people.AreaMembers, "GetMemberCardSVG": people.AreaMembers, "GetCardSheet": people.AreaMembers,
	"GetLiability": people.AreaLook, "GetLiabilityFile": people.AreaLook, "ListLiabilityPostings": people.AreaLook, "GetBreakage": people.AreaLook,
	"ListLiabilityValues": people.AreaLook, "PutLiabilityValue": people.AreaRisk,
	"GetExposure": people.AreaLook, "GetExposureHistory": people.AreaLook, "GetLosses": people.AreaLook,
}

// public are the operations for which nobody needs to be signed in.
var public = map[string]bool{"CreateSession": true, "CreateConsoleSession": true}

// open says whether an operation is for those who are not HQ's people. What shoppers
// call is admitted before, by its address.
func open(operation string) bool {
	return public[operation] || shoppers[operation] || strangers[operation]
}

// callerKey is the context key of who is signed in.
type callerKey struct{}

type caller struct {
	person  people.Person
	session people.Session
	token   string
}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// addressKey is the context key of the network address a request came from.
type addressKey struct{}

func addressOf(ctx context.Context) string {
	a, _ := ctx.Value(addressKey{}).(string)
	return a
}

// authenticate puts who is calling into the context. Signing in is the one thing
// that needs nobody.
func (s *Server) authenticate(c *fiber.Ctx) error {
	ctx := context.WithValue(c.UserContext(), addressKey{}, s.from(c))
	if c.Method() == fiber.MethodPost && (c.Path() == basePath+"/sessions" || c.Path() == sessionPath) {
		if c.Path() == sessionPath {
			if err := ownPage(c); err != nil {
				return err
			}
			ctx = context.WithValue(ctx, secureKey{}, c.Protocol() == "https")
		}
		c.SetUserContext(ctx)
		return c.Next()
	}
	if strings.HasPrefix(c.Path(), cardPath) {
		c.SetUserContext(ctx)
		return s.admitShopper(c)
	}
	token, byCookie, ok := shown(c)
	if !ok {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return problem.New(problem.Unauthenticated, "a bearer token is needed")
	}
	if byCookie {
		if err := ownPage(c); err != nil {
			return err
		}
	}
	session, person, err := s.o.People.Authenticate(ctx, token)
	if err != nil {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer error="invalid_token"`)
		return err
	}
	if byCookie && c.Method() == fiber.MethodDelete && c.Path() == basePath+"/sessions/current" {
		c.Set(fiber.HeaderSetCookie, sessionCookie("", session.CreatedAt, c.Protocol() == "https"))
	}
	c.SetUserContext(context.WithValue(ctx, callerKey{}, caller{person, session, token}))
	return c.Next()
}

// shown returns the token of a request: the bearer's, or else that of the cookie.
func shown(c *fiber.Ctx) (token string, byCookie, ok bool) {
	if token, ok = bearer(c); ok {
		return token, false, true
	}
	token = c.Cookies(cookieName)
	return token, true, token != "" && len(token) <= 4096
}

// bearer returns the token of a request that shows one.
func bearer(c *fiber.Ctx) (string, bool) {
	token, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	return token, ok && len(token) <= 4096
}

// authorise lets an operation run when the caller's role may.
func authorise(next StrictHandlerFunc, operation string) StrictHandlerFunc {
	return func(c *fiber.Ctx, request any) (any, error) {
		if !open(operation) && !callerOf(c.UserContext()).person.Role.May(areas[operation]) {
			return nil, problem.Newf(problem.Forbidden, "the role %s may not do this", callerOf(c.UserContext()).person.Role)
		}
		return next(c, request)
	}
}
