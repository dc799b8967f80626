rule resolve_source:
    output:
        "<results>/inputs/{benchmark}/source.json",
    log:
        "<logs>/resolve_source/{benchmark}.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        card=inputs_card,
    message:
        "Resolving where {wildcards.benchmark} is read from"
    script:
        "../../scripts/resolve_source.py"


rule prepare_split:
    input:
        source="<results>/inputs/{benchmark}/source.json",
    output:
        data=ensure("<results>/inputs/{benchmark}/{split}.arrow", non_empty=True),
        facts="<results>/inputs/{benchmark}/{split}.json",
    log:
        "<logs>/prepare_split/{benchmark}/{split}.log",
    benchmark:
        "<benchmarks>/prepare_split/{benchmark}/{split}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime="4h",
    params:
        card=inputs_card,
        rows=rows_cap,
        strata=rows_strata,
        content=split_content,
        record=content_record,
        recipe=(recipes.PREPARE, recipes.SELECTION),
    message:
        "Preparing the inputs of {wildcards.benchmark}/{wildcards.split}"
    script:
        "../../scripts/prepare_split.py"
