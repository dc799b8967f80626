# Not part of any collection: rebuilds the contrasts that the repository keeps, after a change of
# the registry or of a rule. Run in the repository.
rule build_contrasts:
    input:
        registry=f"{REGISTRY}/registry.parquet",
        models=f"{REGISTRY}/models/semasia-v1.txt",
    output:
        parquet="registry/contrasts.parquet",
        csv="registry/contrasts.csv",
    log:
        "<logs>/build_contrasts.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        registry=registry_folder,
        recipe=recipes.CONTRASTS,
    message:
        "Pairing the models of semasia-v1"
    script:
        "../../scripts/build_contrasts.py"


rule contrasts:
    input:
        "<results>/tables/registry.parquet",
    output:
        parquet="<results>/tables/contrasts.parquet",
        csv="<results>/tables/contrasts.csv",
    log:
        "<logs>/contrasts.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        recipe=recipes.CONTRASTS,
    message:
        "Pairing the models of this collection"
    script:
        "../../scripts/contrasts.py"
