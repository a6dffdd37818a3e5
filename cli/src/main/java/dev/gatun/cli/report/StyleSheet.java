package dev.gatun.cli.report;

/// The style sheet of the page. It must not hold `<` or `&`: the page is well-formed XML too.
final class StyleSheet {
  private StyleSheet() {}

  static final String CSS =
      """

      :root { color-scheme: light dark; --page: #fcfcfb; --card: #f3f4f3; --ink: #1b1f23;
        --dim: #646b73; --rule: #e1e4e6; --main: #0a6c80; --second: #b9500b; }
      @media (prefers-color-scheme: dark) {
        :root { --page: #13171a; --card: #1b2024; --ink: #e3e6e8; --dim: #98a0a7; --rule:
          #2b3238; --main: #4fc1d6; --second: #f0994d; }
      }
      * { box-sizing: border-box; }
      body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
        font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
        sans-serif; font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
      main { max-width: 70rem; margin: 0 auto; padding: 2rem 1.5rem 3rem; }
      h1 { font-size: 1.3rem; line-height: 1.25; margin: 0; font-weight: 650; }
      h2 { font-size: .95rem; margin: 2.2rem 0 .6rem; font-weight: 650; }
      h3 { font-size: .75rem; margin: 0 0 .35rem; font-weight: 600; color: var(--dim); }
      p, dl, dd, figure, ul { margin: 0; padding: 0; }
      .model { color: var(--dim); margin-top: .2rem; }
      .model b { color: var(--ink); font-weight: 550; }
      .label { color: var(--dim); font-size: .8rem; }
      .verdict { margin: 1.2rem 0; padding-left: .9rem; border-left: 3px solid var(--dim); }
      .verdict.better { border-color: var(--main); }
      .verdict.worse { border-color: var(--second); }
      .verdict.none { color: var(--dim); }
      .change { font-size: 2rem; line-height: 1.25; letter-spacing: -.01em; }
      .change .from, .change .arrow { color: var(--dim); }
      .change strong { font-weight: 650; }
      .change em { font-style: normal; font-size: 1.2rem; font-weight: 600; margin-left:
        .35rem; white-space: nowrap; }
      .better em { color: var(--main); }
      .worse em { color: var(--second); }
      .same em { color: var(--dim); }
      .tiles { display: flex; flex-wrap: wrap; gap: 1px; background: var(--rule); border: 1px
        solid var(--rule); border-radius: 6px; overflow: hidden; }
      .tiles div { flex: 1 1 8rem; background: var(--page); padding: .5rem .75rem; }
      .tiles dt { color: var(--dim); font-size: .75rem; }
      .tiles dd { font-size: 1.05rem; font-weight: 550; }
      .warnings { list-style: none; margin-top: 1rem; border-left: 3px solid var(--second);
        padding: .1rem 0 .1rem .9rem; }
      .warnings li::before { content: "Warning: "; color: var(--second); font-weight: 600; }
      figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .6rem;
        margin-bottom: .6rem; }
      figcaption > b { font-weight: 600; }
      .note { color: var(--dim); font-size: .8rem; }
      .small .note { flex-basis: 100%; }
      .legend { margin-left: auto; display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size:
        .8rem; color: var(--dim); }
      .legend b { color: var(--ink); font-weight: 600; }
      .legend i { display: inline-block; width: 1.1rem; height: 0; border-top: 2px solid
        var(--main); vertical-align: middle; margin-right: .35rem; }
      .legend .faint i { border-top-width: 1px; opacity: .5; }
      .legend .dotted i { border-color: var(--second); }
      .plot { padding: 4px 6px 0 46px; }
      .plot svg { display: block; overflow: visible; }
      .plot text { fill: var(--dim); font-size: 11px; }
      text.y { text-anchor: end; }
      text.x { text-anchor: middle; }
      .grid { stroke: var(--rule); }
      line.epoch { stroke: var(--dim); stroke-dasharray: 2 4; opacity: .6; }
      .lines path { fill: none; stroke: var(--main); stroke-width: 1.8; stroke-linejoin:
        round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
      .lines path.faint { stroke-width: 1; opacity: .38; }
      .lines path.dotted { stroke: var(--second); }
      .small .lines path { stroke-width: 1.3; }
      .c1 { --line: #0a6c80; } .c2 { --line: #b9500b; } .c3 { --line: #5b4bb5; } .c4 { --line: #3f7d20; }
      .c5 { --line: #b0307a; } .c6 { --line: #8a6d00; } .c7 { --line: #2f62c9; } .c8 { --line: #6b6b6b; }
      @media (prefers-color-scheme: dark) {
        .c1 { --line: #4fc1d6; } .c2 { --line: #f0994d; } .c3 { --line: #a99cf0; } .c4 { --line: #8fcf6a; }
        .c5 { --line: #f07fc0; } .c6 { --line: #d8b93c; } .c7 { --line: #7fa8f5; } .c8 { --line: #a8a8a8; }
      }
      .lines path[class^="c"] { stroke: var(--line); }
      .legend span[class^="c"] i { border-color: var(--line); }
      .results { overflow-x: auto; margin-top: .8rem; font-size: .85rem; }
      .results table { border-collapse: collapse; width: 100%; }
      .results th, .results td { padding: .3rem .45rem; text-align: right; border-bottom: 1px solid var(--rule);
        white-space: nowrap; }
      .results th { color: var(--dim); font-weight: 500; font-size: .75rem; vertical-align: bottom; white-space: normal;
        overflow-wrap: normal; }
      .results th:first-child, .results td:first-child { text-align: left; padding-left: 0; }
      .results td small { color: var(--dim); }
      .results .best { font-weight: 650; }
      .results code { color: var(--dim); font-size: .75rem; display: block; white-space: normal; max-width: 16rem; }
      .results small { font-size: .75rem; }
      .results div { color: var(--dim); font-size: .75rem; font-weight: 400; }
      section > figure + figure { margin-top: 1.6rem; }
      section + .note { margin-top: .7rem; }
      circle.dotted { fill: var(--second); stroke: var(--page); stroke-width: 1.5; }
      .plot rect { fill: transparent; }
      .plot rect:hover { fill: var(--dim); fill-opacity: .16; }
      .charts { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 1.6rem
        2rem; margin-top: 1.6rem; }
      .charts figure { grid-column: span 3; }
      .of3 figure { grid-column: span 2; }
      .of5 figure:nth-child(n+3) { grid-column: span 2; }
      .remark { margin-top: .6rem; padding-left: 46px; }
      .empty { color: var(--dim); }
      .gaps, .cut { color: var(--second); font-size: .8rem; margin-top: .3rem; padding-left: 46px; }
      .sample { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin-bottom: 1rem; }
      .sample > div { min-width: 0; }
      .code { background: var(--card); border-radius: 6px; padding: .7rem .8rem; white-space:
        pre-wrap; tab-size: 4; font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas,
        "Liberation Mono", monospace; }
      .before .code, .after .code { border-left: 3px solid var(--rule); }
      .after .code { border-left-color: var(--main); }
      .prompt { color: var(--dim); }
      .tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%,
        18rem), 1fr)); column-gap: 2.5rem; }
      .wide dl { columns: 3 18rem; column-gap: 2.5rem; }
      .table dl div { display: flex; gap: 1rem; justify-content: space-between; padding:
        .22rem 0; border-bottom: 1px solid var(--rule); break-inside: avoid; }
      .table dt { color: var(--dim); flex: 0 0 auto; max-width: 65%; }
      .table dd { text-align: right; min-width: 0; }
      @media (max-width: 44rem) {
        main { padding: 1.2rem 1rem 2rem; }
        .sample { grid-template-columns: minmax(0, 1fr); }
        .charts figure:nth-child(n) { grid-column: 1 / -1; }
        .legend { margin-left: 0; }
        .change { font-size: 1.7rem; }
        text.other { display: none; }
      }
      @media print {
        main { max-width: none; padding: 0; }
        figure, .sample { break-inside: avoid; }
      }
      """;
}
