package wire

import (
	"crypto/ed25519"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// SignLoan signs a loan with the lender's own key. The same loan gets the same bytes.
func SignLoan(signer keys.Signer, loan Loan) (BorrowAnswer, error) {
	raw, err := Marshal(loan)
	if err != nil {
		return BorrowAnswer{}, err
	}
	return BorrowAnswer{V: Version, Loan: raw, Signature: signer.Sign(DomainLoan, raw), HLC: loan.HLC}, nil
}

// OpenLoan checks and reads the loan in an answer of the holder of key.
func OpenLoan(key ed25519.PublicKey, answer BorrowAnswer) (Loan, error) {
	if err := keys.Verify(key, DomainLoan, answer.Loan, answer.Signature); err != nil {
		return Loan{}, problem.Wrap(problem.ProofInvalid, err, "the loan is not signed by its lender")
	}
	return Unmarshal[Loan](answer.Loan)
}
