"""Tables of the analyses: speed, exactness, what errors and intervals hold."""

from __future__ import annotations

from benchmarks.tables.text import machine, read, table


def geometry() -> str:
    """The ten metrics: time against two baselines, error of each metric, memory."""
    result = read("geometry")
    seconds, ratios = result["seconds"], result["ratios"]
    first = (
        f"On {result['rows']:,} × {result['width']:,}: {seconds['semasia']} s; one shared SVD "
        f"(float64, values only) takes {seconds['shared_svd']} s, ×{ratios['shared_svd']}; "
        "covariance, PCA and SVD by NumPy and scikit-learn, each called once, "
        f"{seconds['each_once']} s, ×{ratios['each_once']}, and called for each metric "
        f"{seconds['per_metric']} s, ×{ratios['per_metric']}. "
        f"Peak memory beside the rows {result['peak_bytes'] / 2**20:.1f} MiB; two d² matrices "
        f"are {result['two_d2_bytes'] / 2**20:.1f} MiB. {machine(result)}\n\n"
        "Relative error against the SVD in float64:\n\n"
    )
    errors = result["relative_errors"]
    metrics = next(iter(errors.values()))
    rows = [(f"`{m}`", *(f"{each[m]:.0e}" for each in errors.values())) for m in metrics]
    return first + table(("Metric", *errors), rows).rstrip("\n")


def probes() -> str:
    """The strong probe against scikit-learn's."""
    result = read("probes")
    seconds, accuracy = result["seconds"], result["accuracy"]
    return (
        f"On {result['rows']:,} × {result['width']}, {result['classes']} classes, "
        f"{len(result['grid'])} values of C × {result['folds']} folds, float32, spectrum λⱼ ∝ "
        f"j⁻¹·¹ e^(−j/200): {seconds['semasia']} s, accuracy {accuracy['semasia']:.4f}; "
        f"scikit-learn's LogisticRegressionCV (tolerance {result['baseline_tolerance']:g}) "
        f"{seconds['scikit_learn']} s, "
        f"{accuracy['scikit_learn']:.4f}: ×{result['ratio']}. {machine(result)}"
    )


def alignment() -> str:
    """A sweep of ranks against one, and CCA against scikit-learn's."""
    result = read("alignment")
    linear, cca = result["linear"], result["cca"]
    return (
        f"`linear` on {linear['rows']:,} pairs of width {linear['width']}, {linear['test_rows']:,} "
        f"test rows: {linear['seconds']['one rank']} s at full rank alone, "
        f"{linear['seconds']['sweep']} s at {len(linear['ranks'])} ranks, ×{linear['ratio']}. "
        f"`cca` with {cca['components']} directions on {cca['rows']:,} pairs of width "
        f"{cca['width']}: {cca['seconds']['semasia']} s; scikit-learn "
        f"{cca['seconds']['scikit_learn']} s, ×{cca['ratio']}; correlations differ by at most "
        f"{cca['largest_difference_of_correlations']:.0e}. {machine(result)}"
    )


def graphs() -> str:
    """Seconds of the graph and of each signature, against the baseline."""
    result = read("graphs")
    few, many = result["10000"], result["50000"]
    rows = []
    for part, seconds in few["ours_s"].items():
        baseline = few["baseline_s"][part]
        more = f"{many['ours_s'][part]:.2f}"
        rows.append((part, f"{baseline:.2f}", f"{seconds:.3f}", f"×{baseline / seconds:.0f}", more))
    totals = f"**{few['baseline_total_s']}**", f"**{few['ours_total_s']}**"
    rows.append(("**all**", *totals, f"**×{few['ratio']:.0f}**", f"**{many['ours_total_s']}**"))
    head = ("What", "baseline, 10,000 points: s", "ours: s", "ratio", "ours, 50,000 points: s")
    told = (
        f"\nWithout the neighbours the ratio is ×{few['signatures_ratio']:.0f}. The first call of "
        f"a process takes {result['first_call_cached_s']} s, and {result['first_call_s']} s where "
        "kernels are compiled for the first time; neither is counted. The baseline's searches ran "
        f"from {few['baseline_sources']} nodes and are scaled to all. {machine(result)} Others "
        f"used the machine meanwhile: the load was {result['load_before']:.1f} before."
    )
    return table(head, rows) + told


def contrasts() -> str:
    """Pairs of every condition beside the paper's."""
    from semasia.registry.location import registry_folder
    from semasia.statistics.conditions import LABELS
    from semasia.statistics.pairing import contrasts_of_set, counts

    rows = [
        (LABELS[row[0]], *(f"{value:,}" for value in row[1:]))
        for row in counts(contrasts_of_set(registry_folder())).rows()
    ]
    head = ("Condition", "strict", "paper", "of these also strict", "Table 2 / 4", "Table 2")
    return table(head, rows)


def simulation() -> str:
    """Bias and coverage of the planted effects."""
    from semasia.statistics.conditions import LABELS

    result = read("simulation")
    rows = [
        (
            f"{LABELS[r['condition']]}, {r['variant']}",
            r["scenario"],
            f"{r['models']:,} / {r['networks']:,}",
            f"{r['bias']:+.3f} ± {r['bias_monte_carlo_se']:.3f}",
            *(
                f"{100 * r[f'coverage_{kind}']:.1f}"
                for kind in ("hc3", "by_model_cv1", "by_model", "by_network")
            ),
        )
        for r in result["coverage"]
    ]
    head = (
        "Condition",
        "Scenario",
        "models / networks",
        "bias ± Monte Carlo error",
        "HC3",
        "by model, CV1",
        "by model",
        "by network",
    )
    count = result["replications"]
    told = (
        f"\n{count:,} replications ({count // 2:,} of model scale), seed {result['seed']}; "
        "coverage in %, of intervals of 95 %."
    )
    return table(head, rows) + told


def false_discoveries() -> str:
    """False-discovery rates at level 0.05."""
    result = read("simulation")
    kinds = ("hc3_bh", "by_model_bh", "by_network_bh", "both_bh", "by_model_by", "by_network_by")
    rows = [
        (
            f"{r['variant']}, {r['scenario']}",
            "half" if r["true_share"] else "none",
            *(f"{100 * r[kind]:.1f}" for kind in kinds),
        )
        for r in result["false_discovery_rate"]
    ]
    head = (
        "Rules, scenario",
        "true effects",
        "HC3, BH",
        "by model, BH",
        "by network, BH",
        "both, BH",
        "by model, BY",
        "by network, BY",
    )
    count, metrics = result["fdr_replications"], result["metrics"]
    return (
        table(head, rows)
        + f"\n{metrics} metrics × five conditions, {count} replications; rates in %."
    )
