//! Two starts over the same data.

use anyhow::{Result, bail};

use super::{Database, known_plant, world::World};

pub(super) fn run(plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["forget"])?;
    let mut world = World::new("twice", Database::Sqlite)?;
    world.start_and_set_up(&[])?;
    let links = world.printed.iter().filter(|line| line.contains("#token=")).count();
    if links != 1 {
        bail!("the first start printed {links} set-up links: {:?}", world.printed);
    }
    world.stop()?;
    if plant == Some("forget") {
        std::fs::remove_dir_all(world.data())?;
    }
    world.start(&[])?;
    if world.printed.iter().any(|line| line.contains("#token=")) {
        bail!("the second start asked for an owner again: {:?}", world.printed);
    }
    let ready = world.client.status("/readyz")?;
    println!("twice: first start printed 1 set-up link, second none, /readyz {ready}");
    world.stop()
}
