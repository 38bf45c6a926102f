//! What becomes of a request.

use std::io::stdin;

use crate::create;
use crate::environment::Environment;
use crate::error::Error;
use crate::key;
use crate::module;
use crate::pin;
use crate::protocol::{Data, Method, Request, Response};
use crate::sign;
use crate::token::{Access, Token};
use crate::uri::Uri;

/// Does what is asked.
pub(crate) fn to(request: &Request) -> Result<Response, Error> {
    match &request.method {
        Method::DefaultAlgorithm => Ok(Response::DefaultAlgorithm(create::DEFAULT)),
        Method::SupportedAlgorithms => Ok(Response::SupportedAlgorithms(create::algorithms())),
        Method::CreateKey { algorithm } => {
            let (token, uri) = open(request, Access::Write, Login::Always)?;
            let key = create::create(&token, &uri, algorithm)?;
            Ok(Response::CreateKey { pem: key.to_pem() })
        }
        Method::PublicKey => {
            let (token, uri) = open(request, Access::Read, Login::Never)?;
            if let Some(key) = key::public(&token, &uri)? {
                return Ok(Response::PublicKey { pem: key.to_pem() });
            }
            // some tokens show nothing before
            token.login(pin::of(&uri, &Environment::of_process())?.as_ref())?;
            let key = key::public(&token, &uri)?;
            let key = key.ok_or_else(|| {
                Error::Key(
                    "the token has no public key and no certificate that the URI names; see how \
                     `pkcs11-tool --list-objects` calls it"
                        .to_owned(),
                )
            })?;
            Ok(Response::PublicKey { pem: key.to_pem() })
        }
        Method::SignMessage { data } => {
            let digest = digest(data)?;
            let (token, uri) = open(request, Access::Read, Login::Always)?;
            let signature = sign::sign(&token, &uri, data.hash, &digest)?;
            Ok(Response::SignMessage { signature })
        }
        Method::VerifySignature { signature, data } => {
            let digest = digest(data)?;
            let (token, uri) = open(request, Access::Read, Login::Never)?;
            sign::verify(&token, &uri, (data.hash, &digest), signature)?;
            Ok(Response::VerifySignature)
        }
    }
}

/// When the PIN is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    Always,
    /// Public keys are there for everybody, and a wrong PIN costs a try.
    Never,
}

fn open(request: &Request, access: Access, login: Login) -> Result<(Token, Uri), Error> {
    let environment = Environment::of_process();
    let uri = Uri::parse(&request.resource)?;
    let library = module::allowed(&uri, &environment)?;
    let token = Token::open(&uri, &library, access)?;
    if login == Login::Always {
        token.login(pin::of(&uri, &environment)?.as_ref())?;
    }
    Ok((token, uri))
}

fn digest(data: &Data) -> Result<Vec<u8>, Error> {
    match &data.digest {
        Some(digest) => Ok(digest.clone()),
        None => data.hash.digest(stdin().lock()),
    }
}
