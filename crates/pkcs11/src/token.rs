//! A token, with the session in which everything is done.

use std::path::Path;
use std::time::Duration;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error as Cryptoki, RvError};
use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use crate::error::Error;
use crate::module;
use crate::pin;
use crate::uri::Uri;

/// First pause before a token is looked for again, each twice as long as the one before; and the one that
/// is not made any more.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(600);

/// A token with a session.
pub(crate) struct Token {
    library: Pkcs11,
    slot: Slot,
    info: TokenInfo,
    session: Session,
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Token {
    /// Loads the library, finds the token, and opens a session.
    pub(crate) fn open(uri: &Uri, library: &Path, access: Access) -> Result<Self, Error> {
        let (library, slot, info) = found(uri, library)?;
        let session = match access {
            Access::Read => library.open_ro_session(slot),
            Access::Write => library.open_rw_session(slot),
        };
        let session = session.map_err(Error::token("open a session"))?;
        Ok(Self {
            library,
            slot,
            info,
            session,
        })
    }

    /// Logs in. The last try before a token locks a PIN is left to a person.
    pub(crate) fn login(&self, pin: Option<&AuthPin>) -> Result<(), Error> {
        if self.info.user_pin_locked() {
            return Err(Error::Pin(
                "the PIN of the token is locked; unlock it with the token's own tool".to_owned(),
            ));
        }
        if self.info.user_pin_final_try() {
            return Err(Error::Pin(
                "one more wrong PIN would lock the token, so it is not tried here; log in once with the \
                 token's own tool, and correct the PIN that is given here"
                    .to_owned(),
            ));
        }
        let has_keypad = self.info.protected_authentication_path();
        if pin.is_none() && !has_keypad {
            if self.info.login_required() {
                return Err(pin::missing());
            }
            return Ok(());
        }
        let pin = pin.filter(|_| !has_keypad);
        let mut pause = PAUSE;
        loop {
            match self.session.login(UserType::User, pin) {
                // as for finding the token; a wrong PIN is another error, and is not tried again
                Err(Cryptoki::Pkcs11(RvError::GeneralError, _)) if pause < LONGEST => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                done => return done.map_err(Error::token("log in")),
            }
        }
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Whether the token has a mechanism.
    pub(crate) fn has(&self, mechanism: MechanismType) -> bool {
        let listed = self.library.get_mechanism_list(self.slot);
        listed.is_ok_and(|listed| listed.contains(&mechanism))
    }

    /// The objects of this class that the URI names.
    pub(crate) fn objects(
        &self,
        class: ObjectClass,
        uri: &Uri,
    ) -> Result<Vec<ObjectHandle>, Error> {
        let mut wanted = vec![Attribute::Class(class)];
        if let Some(label) = &uri.object {
            wanted.push(Attribute::Label(label.clone().into_bytes()));
        }
        if let Some(id) = &uri.id {
            wanted.push(Attribute::Id(id.clone()));
        }
        self.session
            .find_objects(&wanted)
            .map_err(Error::token("look for the key"))
    }

    /// The one object of this class that the URI names, if there is one.
    pub(crate) fn object(
        &self,
        class: ObjectClass,
        uri: &Uri,
    ) -> Result<Option<ObjectHandle>, Error> {
        let found = self.objects(class, uri)?;
        if found.len() > 1 {
            return Err(Error::Key(format!(
                "the token has {} keys that the URI names; name one by its id as well: id=%01",
                found.len()
            )));
        }
        Ok(found.first().copied())
    }
}

/// Loads the library, and finds the token. `SoftHSM` overlooks tokens or fails to list them while another
/// process logs in or makes a key, and other libraries while a token wakes up, so that is tried again;
/// nothing is lost by it.
fn found(uri: &Uri, path: &Path) -> Result<(Pkcs11, Slot, TokenInfo), Error> {
    let mut pause = PAUSE;
    loop {
        let library = module::load(path)?;
        match find(&library, uri) {
            Ok(Some((slot, info))) => return Ok((library, slot, info)),
            Ok(None) | Err(_) if pause < LONGEST => {
                // what cannot be ended begins anew all the same
                let _ = library.finalize();
                std::thread::sleep(pause);
                pause *= 2;
            }
            Err(error) => return Err(error),
            Ok(None) => {
                return Err(Error::Key(
                    "there is no token that the URI names; see that it is plugged in, and how \
                     `pkcs11-tool --list-slots` calls it"
                        .to_owned(),
                ));
            }
        }
    }
}

/// The token that a URI names, if there is one.
fn find(library: &Pkcs11, uri: &Uri) -> Result<Option<(Slot, TokenInfo)>, Error> {
    let slots = library.get_slots_with_initialized_token();
    let slots = slots.map_err(Error::token("list its tokens"))?;
    let mut found = Vec::new();
    for slot in &slots {
        let Ok(info) = library.get_token_info(*slot) else {
            continue;
        };
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        let is_meant = uri.slot_id.is_none_or(|id| id == slot.id())
            && is(&uri.token, info.label())
            && is(&uri.serial, info.serial_number())
            && is(&uri.model, info.model())
            && is(&uri.manufacturer, info.manufacturer_id());
        if is_meant {
            found.push((*slot, info));
        }
    }
    if found.len() > 1 {
        return Err(Error::Key(format!(
            "{} tokens are those that the URI names; name one by its serial as well",
            found.len()
        )));
    }
    Ok(found.pop())
}
