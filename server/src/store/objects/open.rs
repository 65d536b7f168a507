//! From the settings to a store: folders, S3 and what is like it, Google Cloud Storage, Azure.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use super::Objects;
use crate::config::{Config, Storage, masked};

/// A request is repeated so often before the upload counts as failed. The whole upload is then tried again, for ever.
const RETRIES: usize = 2;
/// No request is repeated later than this after its beginning.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For one request, which carries one part.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Opens the storage that the settings name. Nothing is asked of the server yet: it may be away now and come later.
pub(super) fn open(config: &Config) -> anyhow::Result<Objects> {
    let url = config.storage_url()?;
    let shown = masked(url.as_str());
    let storage = &config.storage;
    // Whoever speaks to it names it in logs and errors.
    if Url::parse(&storage.endpoint)
        .is_ok_and(|url| url.password().is_some() || !url.username().is_empty() || url.query().is_some())
    {
        bail!(
            "storage.endpoint `{}` holds credentials; they belong in storage.access_key_id and storage.secret_access_key",
            masked(&storage.endpoint)
        );
    }
    if url.scheme() == "file" {
        return folder(&url);
    }
    let bucket = url.host_str().filter(|bucket| !bucket.is_empty());
    let bucket = bucket.with_context(|| {
        format!("storage.url `{shown}` names no bucket; write {0}://<bucket> or {0}://<bucket>/<prefix>", url.scheme())
    })?;
    let prefix =
        Path::from_url_path(url.path()).with_context(|| format!("the path of storage.url `{shown}` is no prefix"))?;
    let store: anyhow::Result<Arc<dyn ObjectStore>> = match url.scheme() {
        "s3" => s3(storage, bucket),
        "gs" => gcs(storage, bucket),
        "az" => azure(storage, bucket),
        other => {
            bail!("storage.url has the scheme `{other}`; dumps are stored in file:///, s3://, gs:// or az://")
        }
    };
    let store = store.with_context(|| format!("cannot use storage.url `{shown}`"))?;
    Ok(Objects::over(store, prefix, None))
}

fn folder(url: &Url) -> anyhow::Result<Objects> {
    let shown = masked(url.as_str());
    let folder =
        url.to_file_path().ok().with_context(|| format!("storage.url `{shown}` is no path of this machine"))?;
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let store = LocalFileSystem::new_with_prefix(&folder)
        .with_context(|| format!("cannot use {} as storage", folder.display()))?
        // The spool file goes when the dump is stored: from then on the dump is all there is.
        .with_fsync(true);
    Ok(Objects::over(Arc::new(store), Path::default(), Some(folder)))
}

fn s3(storage: &Storage, bucket: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_virtual_hosted_style_request(!storage.path_style)
        .with_client_options(client(storage))
        .with_retry(retry());
    if !storage.endpoint.is_empty() {
        builder = builder.with_endpoint(&storage.endpoint).with_allow_http(is_plain(storage));
    }
    if !storage.region.is_empty() {
        builder = builder.with_region(&storage.region);
    }
    if !storage.access_key_id.is_empty() {
        builder = builder
            .with_access_key_id(&storage.access_key_id)
            .with_secret_access_key(storage.secret_access_key.expose());
    }
    if !storage.session_token.is_empty() {
        builder = builder.with_token(storage.session_token.expose());
    }
    Ok(Arc::new(builder.build()?))
}

fn gcs(storage: &Storage, bucket: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(bucket)
        .with_client_options(client(storage))
        .with_retry(retry());
    if !storage.endpoint.is_empty() {
        builder = builder.with_base_url(&storage.endpoint);
    }
    Ok(Arc::new(builder.build()?))
}

fn azure(storage: &Storage, container: &str) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_container_name(container)
        .with_client_options(client(storage))
        .with_retry(retry());
    if !storage.endpoint.is_empty() {
        builder = builder.with_endpoint(storage.endpoint.clone()).with_allow_http(is_plain(storage));
    }
    if !storage.access_key_id.is_empty() {
        builder = builder.with_account(&storage.access_key_id).with_access_key(storage.secret_access_key.expose());
    }
    Ok(Arc::new(builder.build()?))
}

/// Who names an endpoint without TLS means it.
fn is_plain(storage: &Storage) -> bool {
    storage.endpoint.starts_with("http://")
}

fn client(storage: &Storage) -> ClientOptions {
    ClientOptions::new().with_connect_timeout(CONNECT_TIMEOUT).with_timeout(TIMEOUT).with_allow_http(is_plain(storage))
}

fn retry() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> String {
        let mut config = Config::default();
        config.storage.url = url.to_owned();
        format!("{:#}", open(&config).unwrap_err())
    }

    #[test]
    fn a_url_that_is_no_storage_says_what_would_be() {
        assert!(error("ftp://host/x").contains("`ftp`"));
        assert!(error("s3:///prefix").contains("s3://<bucket>"));
        assert!(error("nothing").contains("file:///"));
    }

    #[test]
    fn what_follows_the_bucket_is_the_prefix_of_dumps() {
        let mut config = Config::default();
        config.storage = Storage {
            url: "s3://calls/eu/west".to_owned(),
            region: "eu-west-1".to_owned(),
            access_key_id: "id".to_owned(),
            secret_access_key: crate::config::Secret::new("hunter2"),
            ..config.storage
        };
        tokio_rustls::rustls::crypto::ring::default_provider().install_default().ok();
        let objects = open(&config).unwrap();
        let path = objects.path(crate::session::SessionId::new(), crate::session::UnixMillis(0)).to_string();
        assert!(path.starts_with("eu/west/1970/01/01/"), "{path}");
        assert!(!format!("{objects:?}{config:?}").contains("hunter2"));
    }
}
