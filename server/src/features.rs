//! The features of the product, one line each.

use std::sync::Arc;

use campaigns::Campaigns;
use contacts::Contacts;
use demo::Demo;
use host::{Feature, Handles};
use https::Https;
use people::People;
use settings::Field;
use system::System;
use tls::Tls;
use voice::{Setup, Voice};

use crate::{
    boot::{Boot, Given},
    wiring::{CampaignUses, DemoParts, VoicePhones, VoicePrompts},
};

/// Every feature, and the one that the server itself must know.
pub struct Features {
    /// Who keeps the sessions.
    pub people: People,
    /// Whom this server's certificate is from.
    pub tls: Tls,
    /// All of them, `people` too, in the order of their migrations.
    pub all: Vec<Box<dyn Feature>>,
}

/// Every setting that may be given: the server's own, then each feature's.
pub fn settings() -> Vec<Field> {
    let mut fields = Given::fields();
    fields.extend(tls::Given::fields());
    fields
}

impl Features {
    /// Makes the features over the platform's handles, and ties them.
    pub fn new(handles: &Handles, boot: &Boot) -> anyhow::Result<Self> {
        let people = People::new(handles.clone(), boot.insecure_http)?;
        let uses = Arc::new(CampaignUses);
        let contacts = Contacts::new(handles.clone(), uses.clone());
        let setup = Setup {
            sip_port: boot.sip_port,
            public_address: boot.public_address.as_deref().and_then(|text| text.parse().ok()),
            media_ports: boot.rtp_ports.clone(),
        };
        let voice = Voice::new(handles.clone(), setup, uses.clone(), uses)?;
        let phones = Arc::new(VoicePhones(voice.calls().clone()));
        let prompts = Arc::new(VoicePrompts(voice.clone()));
        let campaigns = Campaigns::new(handles.clone(), phones, prompts);
        let parts = DemoParts {
            voice: voice.clone(),
            contacts: contacts.clone(),
            campaigns: campaigns.clone(),
        };
        let demo = Demo::new(handles.clone(), Arc::new(parts));
        let tls = Tls::open(boot.tls.clone(), handles.clock.clone())?;
        let all: Vec<Box<dyn Feature>> = vec![
            Box::new(people.clone()),
            Box::new(contacts),
            Box::new(voice),
            Box::new(campaigns),
            Box::new(demo),
            Box::new(Https::new(tls.clone(), handles.clone())),
            Box::new(System::new(handles.clone())),
        ];
        Ok(Self { people, tls, all })
    }
}
