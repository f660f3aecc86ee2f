//! What the pages must have words for, as the assembled program knows it.

use serde_json::Value;

use crate::house::House;

#[tokio::test]
async fn every_kind_of_job_has_words_in_every_language() {
    db::testing::each(&[], |db| async move {
        let house = House::new(db, "127.0.0.1:80").await;
        let kinds = house.world.handles.jobs.kinds();
        assert!(!kinds.is_empty());
        let locales = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/packages/i18n");
        for language in ["en", "uk", "ru", "uz", "vi"] {
            let file = locales.join(format!("locales/{language}/system.json"));
            let words: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            for kind in &kinds {
                let key = kind.replace('.', "_");
                assert!(words["kinds"][&key].is_string(), "{language}: system.kinds.{key}");
            }
        }
    })
    .await;
}
