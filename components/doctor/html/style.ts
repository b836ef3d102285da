/** Looks of the page: the reader's light or dark, light on paper. */
export const style = `
:root{color-scheme:light dark;--bg:light-dark(#fff,#0d1117);--text:light-dark(#1f2328,#e6edf3);--soft:light-dark(#59636e,#9198a1);--line:light-dark(#d1d9e0,#3d444d);--ok:light-dark(#1a7f37,#3fb950);--failed:light-dark(#cf222e,#f85149);--unprovable:light-dark(#9a6700,#d29922);--unseen:var(--soft);--pods:light-dark(#0969da,#58a6ff);--nodes:light-dark(#bc4c00,#f0883e)}
body{background:var(--bg);color:var(--text);font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.5rem 0 .5rem}
section{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
thead th{color:var(--soft);font-weight:600;font-size:.85rem}
tbody th{background:color-mix(in srgb,var(--line) 35%,var(--bg));font-weight:400}
small{color:var(--soft);margin-left:.5rem}
code{font-weight:600}
.n,thead .n{text-align:right;font-variant-numeric:tabular-nums}
.ok{color:var(--ok)}.failed{color:var(--failed);font-weight:600}.unprovable{color:var(--unprovable)}.unseen{color:var(--unseen)}
.counts{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.75rem}
.counts li{border:1px solid currentColor;border-radius:.5rem;padding:.25rem .9rem;font-weight:400}
.counts b{font-size:1.5rem;margin-right:.3rem}
.findings{table-layout:fixed;min-width:52rem}
.findings thead th:first-child{width:8.5rem}
.findings thead th:nth-child(2){width:17rem}
.findings td span{display:inline-block;max-width:100%;white-space:pre-wrap}
nav a{color:inherit;margin-right:1rem}
.chart{min-width:44rem}
.wide{width:38%;padding-right:1rem}
.chart td,.chart thead th{vertical-align:middle;white-space:nowrap}
.chart td:first-child{white-space:normal}
.plot{display:block;width:100%;height:16px;overflow:visible}
.plot text{fill:var(--soft);font-size:11px;font-weight:400}
.plot .grid{stroke:var(--line)}
.plot .limit{stroke:var(--text);stroke-dasharray:3 2}
.plot rect{fill:currentColor}
.pods{color:var(--pods)}.nodes{color:var(--nodes)}
g{stroke:currentColor;stroke-width:2}
.full{fill:currentColor}.open{fill:var(--bg)}
.maps{display:flex;flex-wrap:wrap;gap:1rem 3rem}
.map{width:auto}
.map caption{text-align:left;font-weight:600;padding:.3rem 0}
.map thead th{vertical-align:bottom}
.map thead span{writing-mode:sideways-lr;writing-mode:vertical-rl;white-space:nowrap;max-height:14rem;overflow:hidden}
.map tbody th{background:none;white-space:nowrap}
.map td{text-align:center;white-space:nowrap;border:1px solid var(--line);font-variant-numeric:tabular-nums}
.map thead td{border:0}
.map td[class]{background:color-mix(in srgb,currentColor 14%,var(--bg))}
.map .self{background:var(--line)}
@media print{nav{display:none}:root{color-scheme:light}*{print-color-adjust:exact}body{margin:0;max-width:none;font-size:9pt}section{overflow:visible}tr,.map,li{break-inside:avoid}h2{break-after:avoid}.findings,.chart{min-width:0}}
`;
