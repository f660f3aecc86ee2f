//! The machine in words, for stories, bug reports and the page that says why.

use std::fmt;

use super::{
    Dialer,
    attempt::Attempt,
    campaign::{Campaign, Work},
    line::{Life, Line},
};
use crate::Shortage;

impl fmt::Display for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            campaigns,
            lines,
            attempts,
            numbers,
            waves,
            timers,
            writable,
            shortage,
            fenced,
            drain,
        } = self;
        let on = |name, yes: &bool| if *yes { name } else { "" };
        write!(f, "dialler:{}", if *writable { " writable" } else { " read-only" })?;
        if let Some(Shortage { free, least }) = shortage {
            write!(f, " disk {free}% of {least}%")?;
        }
        write!(f, "{}", on(" fenced", fenced))?;
        writeln!(f, "{}", if drain.is_some() { " draining" } else { "" })?;
        for (id, line) in lines {
            writeln!(f, "  line {id}: {line}")?;
        }
        for (id, campaign) in campaigns {
            writeln!(f, "  campaign {id}: {campaign}")?;
        }
        for (id, attempt) in attempts {
            writeln!(f, "  attempt {id}: {attempt}")?;
        }
        for (number, attempt) in numbers {
            writeln!(f, "  number {number}: attempt {attempt}")?;
        }
        for (campaign, at) in waves {
            writeln!(f, "  campaign {campaign} called in waves, last at {at}")?;
        }
        for (at, timer) in timers.iter() {
            writeln!(f, "  at {at}: {timer:?}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fact,
            present,
            life,
            pace: _, // seen by when it lets the next call go
            paused_until,
            pause_is_busy,
            open,
            faults,
            ready,
            level,
        } = self;
        match life {
            Life::Alive => f.write_str("alive")?,
            Life::Dead { since } => write!(f, "dead since {since}")?,
            Life::OnTrial => f.write_str("on trial")?,
        }
        let (used, channels) = (open.len(), fact.channels);
        write!(f, ", {used} of {channels} channels, {}, health {}", fact.rate, fact.health)?;
        let why = if *pause_is_busy { "busy" } else { "paused" };
        if paused_until.micros() > 0 {
            write!(f, ", {why} until {paused_until}")?;
        }
        if !present || !fact.enabled {
            f.write_str(", not in use")?;
        }
        write!(f, ", {} faults, level {level}, ready", faults.len())?;
        ready.iter().try_for_each(|turn| write!(f, " {}", turn.campaign))
    }
}

impl fmt::Display for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rules,
            started_at: _, // never changes anything but the order among equals
            running,
            preparing,
            completing,
            queue,
            held,
            open,
            tests,
            finishing,
            work,
            served,
            pace: _,
            wave,
            last_call,
            in_window,
        } = self;
        f.write_str(match (running, completing, in_window) {
            (false, ..) => "not running",
            (true, true, _) => "completing",
            (true, false, true) => "in its window",
            (true, false, false) => "out of its window",
        })?;
        if *preparing {
            f.write_str(", preparing")?;
        }
        write!(f, ", rules {}, {} open of {}", rules.version, open.len(), rules.concurrency)?;
        write!(
            f,
            " ({tests} tests, {finishing} over), {} queued, {} held",
            queue.len(),
            held.len()
        )?;
        match work {
            Work::Unknown => f.write_str(", may have work")?,
            Work::Asked { n, heard: None } => write!(f, ", asked for {n}")?,
            Work::Asked { n, heard: Some(at) } => write!(f, ", asked for {n}, heard of {at}")?,
            Work::Later(at) => write!(f, ", work at {at}")?,
            Work::Nothing => f.write_str(", no work")?,
        }
        write!(f, ", served {served}")?;
        match last_call {
            Some(at) if rules.batch.is_some() => write!(f, ", {wave} of its wave, last at {at}"),
            Some(_) | None => Ok(()),
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            campaign,
            contact,
            phone,
            line,
            purpose,
            rules,
            history,
            stage,
            since,
            withdrawn,
            again_at,
        } = self;
        write!(f, "{stage:?} since {since}, {purpose} {campaign}")?;
        if let Some(contact) = contact {
            write!(f, ", contact {contact}")?;
        }
        write!(f, ", {phone} on line {line}, rules {}", rules.version)?;
        write!(f, ", {} attempts before", history.attempts)?;
        if *withdrawn {
            f.write_str(", withdrawn")?;
        }
        again_at.map_or(Ok(()), |at| write!(f, ", again at {at}"))
    }
}
