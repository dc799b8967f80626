# In place of latents.smk and inputs.smk: latents that were published, and no images.
rule resolve_published:
    output:
        "<results>/published/{benchmark}.json",
    log:
        "<logs>/resolve_published/{benchmark}.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        repository=repository_of,
    message:
        "Listing what is published of {wildcards.benchmark}"
    script:
        "../../scripts/resolve_published.py"


# Where this workflow runs, as nodes of a cluster may reach no network.
rule fetch:
    input:
        # A newer listing names what is new; what was fetched stays.
        listing=ancient("<results>/published/{benchmark}.json"),
    output:
        ensure("<results>/latents/{benchmark}/{model}/{split}.parquet", non_empty=True),
    log:
        "<logs>/fetch/{benchmark}/{model}/{split}.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        attempt=this_attempt,
    params:
        repository=repository_of,
        rows=rows_asked,
        source_rows=rows_of_source,
        stated=stated_of_encoder,
    message:
        "Fetching {wildcards.benchmark}/{wildcards.split} of {wildcards.model}"
    script:
        "../../scripts/fetch.py"
