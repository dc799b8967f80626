# What the collection costs, and what of it is there. The same as `semasia plan` and `status`.
rule plan:
    output:
        parquet="<results>/tables/plan.parquet",
        csv="<results>/tables/plan.csv",
    log:
        "<logs>/plan.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        registry=registry_folder,
        models=model_names,
        rows=rows_of_splits,
        recipe=recipes.OVERVIEW,
    message:
        "Reckoning what the collection costs"
    script:
        "../../scripts/plan.py"


rule coverage:
    input:
        coverage_inputs,
    output:
        parquet="<results>/tables/coverage.parquet",
        csv="<results>/tables/coverage.csv",
        page=report(
            "<results>/pages/coverage.html",
            caption="../report/coverage.rst",
            category="Coverage",
            labels={"result": "what is done, what failed"},
        ),
    log:
        "<logs>/coverage.log",
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        registry=registry_folder,
        failed=failed_targets,
        title=COLLECTION.config.title,
        recipe=recipes.OVERVIEW,
    message:
        "Telling what is done and what failed"
    script:
        "../../scripts/coverage.py"
