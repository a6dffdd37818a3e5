"""What compare.py found, as text, as Markdown and as a page."""

import html as markup

import costs

MARKS = ("<!-- bench/compare.py --readme writes from here -->", "<!-- to here -->")
GOOD, BAD, OPEN = "yes", "no", ""


def value_of(claim):
    if claim["meaning"] == "s":
        return ""
    low, high = claim["interval"]
    spread = "" if low == high else f" ({low:.2f} to {high:.2f})"
    return f"{claim['value']:.2f}{spread}"


def goal_of(claim):
    if claim["goal"] is None:
        return ""
    sign, limit = claim["goal"]
    return f"{sign.replace('>=', '≥').replace('<=', '≤')} {limit:g}"


def met_of(claim):
    return {None: OPEN, True: GOOD, False: BAD}[claim["met"]]


def share_of(claim):
    share = claim.get("share")
    return f"{share['share']:.0%} of {share['bound']}" if share else ""


def sentence(claim):
    goal = f", goal {goal_of(claim)}: {'met' if claim['met'] else 'MISSED'}" if claim["goal"] else ""
    value = f"{value_of(claim)} {claim['meaning']}" if claim["meaning"] != "s" else claim["ours"]
    return f"{claim['what']}: {value}{goal}"


HEADS = ("", "peer", "Gatun", "ratio (95 %)", "is", "goal", "met", "of the machine's limit")


def all_of(found, key):
    """What all sections have under a key, each with its section."""
    return [(section, each) for section in found["sections"].values() for each in section[key]]


def rows_of(found):
    return [
        (c["what"], c["theirs"], c["ours"], value_of(c), c["meaning"], goal_of(c), met_of(c), share_of(c))
        for _, c in all_of(found, "claims")
    ]


def rates(measured):
    f32, bf16, read = (measured[key] / 1e9 for key in ("f32", "bf16", "read"))
    return f"{f32:.0f} GFLOP/s of f32 products, {bf16:.0f} of bf16 products, {read:.1f} GB/s read"


def about(found):
    machine, sections = found["machine"], found["sections"]
    libraries = sorted({e["library"] for _, r in all_of(found, "races") for e in r["entries"] if e.get("library")})
    lines = [
        f"{machine['cores']} cores of {machine['cpu']} family {machine['family']} model {machine['model']}, "
        f"{found['threads']} threads"
    ]
    for made in dict.fromkeys((s["date"], s["commit"]) for s in sections.values()):
        names = [name for name, s in sections.items() if (s["date"], s["commit"]) == made]
        slow, fast = ({key: pick(sections[n]["rates"][key] for n in names) for key in ("f32", "bf16", "read")} for pick in (min, max))
        lines.append(
            f"{made[0]}, commit {made[1]}: {', '.join(names)}; the machine's best of each section from {rates(slow)}, to {rates(fast)}"
        )
    return [*lines, *libraries, *(f"left out: {reason}" for _, reason in all_of(found, "left_out"))]


def text(found):
    rows = [HEADS, *rows_of(found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for section, profile in all_of(found, "profiles"):
        title = f"{profile['title']}: {1e3 * profile['seconds']:.1f} ms"
        lines += ["", title, *profile_lines(profile, section["rates"])]
    return "\n".join(["", *lines, "", *about(found)])


def profile_lines(profile, rates):
    for line in profile["lines"]:
        part = line["seconds"] / profile["seconds"]
        least, bound = costs.limit(line["cost"], rates)
        floor = f"{1e3 * least:8.1f} ms by {bound}" if least else ""
        share = f"{least / line['seconds']:5.0%}" if least else ""
        yield f"  {line['part']:36}{1e3 * line['seconds']:8.1f} ms {part:6.1%} {floor:26}{share}".rstrip()


def markdown(found):
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    lines += ["| " + " | ".join(row) + " |" for row in rows_of(found)]
    return "\n".join([*lines, "", *(f"- {line}" for line in about(found))])


def into(path, found):
    """Puts the table between the marks of a file."""
    content = path.read_text()
    before, rest = content.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    path.write_text(before + MARKS[0] + "\n" + markdown(found) + "\n" + MARKS[1] + after)


STYLE = """
:root { color-scheme: light dark; --line: #8884; --ours: #2a9d5c; --theirs: #8a94a6; --bad: #c44; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:nth-child(6) { white-space: nowrap; }
.no { color: var(--bad); font-weight: 600; } .yes { color: var(--ours); font-weight: 600; }
.bar { display: grid; grid-template-columns: 14rem 1fr 15rem; gap: .8rem; align-items: center; margin: .2rem 0; }
.track { position: relative; height: 1.1rem; } .fill { position: absolute; inset: 0 auto 0 0; background: var(--theirs); }
.ours .fill { background: var(--ours); } .spread { position: absolute; top: .45rem; height: .2rem; background: currentColor; }
.least { position: absolute; top: -.15rem; bottom: -.15rem; border-left: 2px dashed currentColor; }
small { color: var(--theirs); }
@media (max-width: 44rem) { .bar { grid-template-columns: 1fr; gap: 0; margin-bottom: .6rem; } }
"""


def html(found):
    body = ["<h1>Gatun beside its peers</h1>"]
    body.append("<p><small>" + "<br>".join(escape(line) for line in about(found)) + "</small></p>")
    body += ["<h2>In short</h2>", table(HEADS, rows_of(found))]
    body.append("<h2>All times</h2><p>Medians; the thin line is their 95 % interval, the dashed one what the machine needs at least.</p>")
    for section, race in all_of(found, "races"):
        body += chart(race, section["rates"])
    sizes = [size for _, size in all_of(found, "growth")]
    if sizes:
        body.append("<h2>How cost grows</h2><p>Time beside that at x 1; the dashed line is how much the work grows.</p>")
        for axis in dict.fromkeys(size["axis"] for size in sizes):
            body += growth(axis, [size for size in sizes if size["axis"] == axis])
    profiles = all_of(found, "profiles")
    if profiles:
        body.append("<h2>Where a step's time goes</h2><p>The dashed line is what the machine needs at least for the part.</p>")
        for section, profile in profiles:
            body += parts(profile, section["rates"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Gatun beside its peers</title><style>{STYLE}</style>" + "\n".join(body) + "</html>\n"
    )


def escape(value):
    return markup.escape(str(value))


def table(heads, rows):
    cells = "".join(f"<th>{escape(h)}</th>" for h in heads)
    lines = []
    for row in rows:
        tds = "".join(f'<td class="{c}">{c}</td>' if c in (GOOD, BAD) else f"<td>{escape(c)}</td>" for c in row)
        lines.append(f"<tr>{tds}</tr>")
    return f'<div class="wide"><table><tr>{cells}</tr>{"".join(lines)}</table></div>'


def bar(label, value, most, note, ours=False, interval=None, least=None):
    spread = ""
    if interval:
        low, high = (100 * end / most for end in interval)
        spread = f'<div class="spread" style="left:{low:.2f}%;width:{max(high - low, 0.2):.2f}%"></div>'
    mark = f'<div class="least" style="left:{100 * least / most:.2f}%"></div>' if least else ""
    return (
        f'<div class="bar{" ours" if ours else ""}"><div>{escape(label)}</div><div class="track">'
        f'<div class="fill" style="width:{100 * value / most:.2f}%"></div>{spread}{mark}</div><div>{escape(note)}</div></div>'
    )


def chart(race, rates):
    entries = race["entries"]
    most = 1.02 * max(max(e["seconds"], e["interval"][1]) for e in entries)
    least = costs.limit(race["cost"], rates)[0] if "cost" in race else None
    yield f"<h3>{escape(race['title'])}</h3>"
    if race["equal"]:
        yield f"<small>{escape(race['equal'])}</small>"
    for e in entries:
        scale, unit = (1e9, "ns") if e["seconds"] < 1e-5 else (1e3, "ms")
        note = f"{scale * e['seconds']:,.1f} {unit}"
        if "tokens_per_second" in e:
            note += f", {e['tokens_per_second']:,.0f} tokens/s"
        if e.get("peak_rss_bytes"):
            note += f", {e['peak_rss_bytes'] / 2**20:,.0f} MiB"
        yield bar(e["name"], e["seconds"], most, note, e["name"].startswith("Gatun"), e["interval"], least)


def growth(axis, sizes):
    most = 1.05 * max(max(g["time"][2], g["work"]) for g in sizes)
    yield f"<h3>{escape(axis)}</h3>"
    for g in sizes:
        note = f"{g['time'][0]:.2f} times the time, {g['work']:.2f} times the work"
        yield bar(g["size"], g["time"][0], most, note, True, g["time"][1:], g["work"])


def parts(profile, rates):
    limits = [costs.limit(line["cost"], rates) for line in profile["lines"]]
    most = max(max(line["seconds"], least) for line, (least, _) in zip(profile["lines"], limits))
    yield f"<h3>{escape(profile['title'])}: {1e3 * profile['seconds']:.1f} ms</h3>"
    for line, (least, bound) in zip(profile["lines"], limits):
        note = f"{1e3 * line['seconds']:.1f} ms, {line['seconds'] / profile['seconds']:.1%}"
        if least:
            note += f"; at least {1e3 * least:.1f} ms by {bound}"
        yield bar(line["part"], line["seconds"], most, note, True, None, least or None)
