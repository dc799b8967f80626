# Latent spaces compared with each other; which, is told in compared.smk.
if COMPARISON:

    rule similarity:
        input:
            tile_shards,
        output:
            "<results>/similarity/{first}-{second}.parquet",
        log:
            "<logs>/similarity/{first}-{second}.log",
        benchmark:
            "<benchmarks>/similarity/{first}-{second}.tsv"
        wildcard_constraints:
            first=r"\d+",
            second=r"\d+",
        conda:
            "../../envs/analysis.yaml"
        threads: 2
        resources:
            # Products and neighbours of every pair; without an accelerator they take two cores.
            gpu=EXTRACT_GPUS,
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime="12h",
        params:
            models=tile_models,
            pairs=pairs_with_intervals,
            rows=COMPARISON.rows,
            sampling=COMPARISON.sampling,
            cache=lambda wildcards, output: f"{output[0].rsplit('/', 1)[0]}/rows",
            recipe=recipes.SIMILARITY,
        message:
            "Comparing latents of models {wildcards.first} and {wildcards.second}"
        script:
            "../../scripts/similarity.py"

    rule similarity_table:
        input:
            all_tiles,
        output:
            parquet="<results>/tables/similarity.parquet",
            csv="<results>/tables/similarity.csv",
        log:
            "<logs>/similarity_table.log",
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=4000,
            runtime="30m",
        params:
            kind="similarity",
            recipe=recipes.SIMILARITY,
        message:
            "Writing the table of similarities"
        script:
            "../../scripts/comparison_table.py"

    rule alignment:
        input:
            fit_a=pair_shards(FIT, "model_a"),
            fit_b=pair_shards(FIT, "model_b"),
            score_a=pair_shards(SCORE, "model_a"),
            score_b=pair_shards(SCORE, "model_b"),
        output:
            "<results>/alignment/{model_a}/{model_b}.parquet",
        log:
            "<logs>/alignment/{model_a}/{model_b}.log",
        benchmark:
            "<benchmarks>/alignment/{model_a}/{model_b}.tsv"
        wildcard_constraints:
            model_a=r"[^/]+",
            model_b=r"[^/]+",
        conda:
            "../../envs/analysis.yaml"
        threads: analysis_threads(COMPARISON.benchmark)
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime="12h",
        params:
            probe=compared_probe,
            methods=COMPARISON.methods,
            components=COMPARISON.components,
            few_rows=COMPARISON.few_rows,
            prototype_rows=COMPARISON.prototype_rows,
            recipe=recipes.ALIGNMENT,
        message:
            "Aligning {wildcards.model_a} with {wildcards.model_b}"
        script:
            "../../scripts/alignment.py"

    rule alignment_table:
        input:
            all_alignments,
        output:
            parquet="<results>/tables/alignment.parquet",
            csv="<results>/tables/alignment.csv",
        log:
            "<logs>/alignment_table.log",
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=2000,
            runtime="30m",
        params:
            kind="alignment",
            recipe=recipes.ALIGNMENT,
        message:
            "Writing the table of alignments"
        script:
            "../../scripts/comparison_table.py"

    rule transfer:
        input:
            fit=transfer_shards(FIT),
            score=transfer_shards(SCORE),
        output:
            parquet="<results>/tables/transfer.parquet",
            csv="<results>/tables/transfer.csv",
        log:
            "<logs>/transfer.log",
        benchmark:
            "<benchmarks>/transfer.tsv"
        conda:
            "../../envs/analysis.yaml"
        threads: analysis_threads(COMPARISON.benchmark)
        resources:
            mem_mb=lambda wildcards, attempt: 8000 * attempt,
            runtime="12h",
        params:
            probe=compared_probe,
            recipe=recipes.TRANSFER,
        message:
            "Carrying probes from model to model"
        script:
            "../../scripts/transfer.py"

    rule bases:
        input:
            basis_shards,
        output:
            parquet="<results>/tables/bases.parquet",
            csv="<results>/tables/bases.csv",
            energy="<results>/tables/bases_energy.parquet",
            energy_csv="<results>/tables/bases_energy.csv",
        log:
            "<logs>/bases.log",
        conda:
            "../../envs/analysis.yaml"
        threads: analysis_threads(COMPARISON.benchmark)
        resources:
            mem_mb=lambda wildcards, attempt: 4000 * attempt,
            runtime="4h",
        params:
            pairs=lambda wildcards: compared_pairs(),
            recipe=recipes.BASES,
        message:
            "Comparing bases"
        script:
            "../../scripts/bases.py"

    rule figure_similarity:
        input:
            similarity="<results>/tables/similarity.parquet",
            transfer="<results>/tables/transfer.parquet",
        output:
            report(
                "<results>/figures/similarity.svg",
                caption="../report/similarity.rst",
                category="Comparison",
                labels={"result": "similarity beside transfer"},
            ),
        log:
            "<logs>/figure_similarity.log",
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=2000,
            runtime="30m",
        params:
            recipe=recipes.FIGURES,
        message:
            "Drawing similarities"
        script:
            "../../scripts/figure_similarity.py"

    rule figure_alignment:
        input:
            "<results>/tables/alignment.parquet",
        output:
            report(
                "<results>/figures/alignment.svg",
                caption="../report/alignment.rst",
                category="Comparison",
                labels={"result": "accuracy and error after alignment"},
            ),
        log:
            "<logs>/figure_alignment.log",
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=2000,
            runtime="30m",
        params:
            pairs=lambda wildcards: compared_pairs(),
            recipe=recipes.FIGURES,
        message:
            "Drawing accuracy and error after alignment"
        script:
            "../../scripts/figure_alignment.py"

    rule figure_transfer:
        input:
            "<results>/tables/transfer.parquet",
        output:
            report(
                "<results>/figures/transfer.svg",
                caption="../report/transfer.rst",
                category="Comparison",
                labels={"result": "probes carried over"},
            ),
        log:
            "<logs>/figure_transfer.log",
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=2000,
            runtime="30m",
        params:
            recipe=recipes.FIGURES,
        message:
            "Drawing probes carried over"
        script:
            "../../scripts/figure_transfer.py"

    rule figure_bases:
        input:
            bases="<results>/tables/bases.parquet",
            energy="<results>/tables/bases_energy.parquet",
        output:
            report(
                "<results>/figures/bases.svg",
                caption="../report/bases.rst",
                category="Comparison",
                labels={"result": "cross-correlation of bases"},
            ),
        log:
            "<logs>/figure_bases.log",
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=2000,
            runtime="30m",
        params:
            pairs=lambda wildcards: compared_pairs(),
            recipe=recipes.FIGURES,
        message:
            "Drawing cross-correlations of bases"
        script:
            "../../scripts/figure_bases.py"
