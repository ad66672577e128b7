package doctor

// Token looks at how the exchange of the service account's key for an access token went.
func Token(mail string, err error) Finding {
	if err != nil {
		return find(GoogleToken, Error, "Google gave %s no access token: %v", mail, err)
	}
	return find(GoogleToken, OK, "Google gives %s access tokens", mail)
}

// Issuer looks at whether Google lets the account work for the issuer.
func Issuer(issuer string, err error) Finding {
	if err != nil {
		return find(GoogleIssuer, Error, "Google does not let the service account work for issuer %s: %v", issuer, err)
	}
	return find(GoogleIssuer, OK, "the service account works for issuer %s", issuer)
}

// Push looks at whether Apple's push service was reached and knows who asks.
func Push(address string, err error) Finding {
	if err != nil {
		return find(ApplePush, Error, "the push service at %s did not take the connection: %v", address, err)
	}
	return find(ApplePush, OK, "the push service at %s takes connections", address)
}

// Nothing says that no wallet is set up.
func Nothing() Finding {
	return find(NothingSet, Warn, "no wallet is set up: there are web cards and printed cards only")
}

// OwnAuthority says that passes are signed by a self-made authority.
func OwnAuthority(dir string) Finding {
	return find(SelfMade, Warn, "passes are signed by a self-made authority in %s", dir)
}

// Files looks at whether the files of a wallet could be read and fit each other.
func Files(code Code, err error, fine string) Finding {
	if err != nil {
		return find(code, Error, "%v", err)
	}
	return find(code, OK, "%s", fine)
}

// Signs looks at whether a pass could be built and signed.
func Signs(bytes int, err error) Finding {
	if err != nil {
		return find(AppleSigns, Error, "no pass could be built: %v", err)
	}
	return find(AppleSigns, OK, "a pass of %d kB is built and signed", (bytes+999)/1000)
}

// Say is a finding in somebody else's words.
func Say(code Code, level Level, what string) Finding { return find(code, level, "%s", what) }
