rule extract:
    input:
        data="<results>/inputs/{benchmark}/{split}.arrow",
        facts="<results>/inputs/{benchmark}/{split}.json",
    output:
        latents=ensure(
            "<results>/latents/{benchmark}/{model}/{split}.parquet", non_empty=True
        ),
        timings="<results>/timings/{benchmark}/{model}/{split}.json",
    log:
        "<logs>/extract/{benchmark}/{model}/{split}.log",
    benchmark:
        "<benchmarks>/extract/{benchmark}/{model}/{split}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: EXTRACT_THREADS
    resources:
        gpu=EXTRACT_GPUS,
        mem_mb=extract_mem_mb,
        runtime="4h",
        # No parameter, as tuning never redoes work; what no profile decides is read from the
        # configuration, as each resource is worked out for each job.
        together=EXTRACT_TOGETHER,
        attempt=this_attempt,
    params:
        encoder=encoder_card,
        weights=weights_content,
        preprocess=EXTRACT.preprocess,
        precision=EXTRACT.precision,
        recipe=recipes.EXTRACT,
    message:
        "Extracting {wildcards.benchmark}/{wildcards.split} with {wildcards.model}"
    script:
        "../../scripts/extract.py"


rule timings:
    input:
        all_timings,
    output:
        parquet="<results>/tables/timings.parquet",
        csv="<results>/tables/timings.csv",
        page=report(
            "<results>/pages/timings.html",
            caption="../report/timings.rst",
            category="Speed",
            labels={"result": "timings, table"},
        ),
    log:
        "<logs>/timings.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        title=COLLECTION.config.title,
        recipe=recipes.TIMINGS,
    message:
        "Collecting timings"
    script:
        "../../scripts/timings.py"
