"""The page's one style sheet: dark first, light as equal, printable, readable on a phone; colour carries meaning."""

__all__ = ["STYLE"]

_DARK = """
--bg:#0d1117;--raised:#141a22;--line:#252e3a;--text:#d9e1ea;--soft:#8b98a9;--accent:#5ea1f5;--gain:#3fb489;
--loss:#e8727a;
--warn:#dba63c;--up:#93a5bb;--down:#4b5a6d;--target:#3fb489;--stop:#e8727a;--hold:#b79be0;color-scheme:dark"""

_LIGHT = """
--bg:#f7f8fa;--raised:#ffffff;--line:#d8dee6;--text:#1a2330;--soft:#5a6777;--accent:#1763c9;--gain:#0b7a53;
--loss:#c2303b;
--warn:#8a5d00;--up:#8fa0b5;--down:#46566a;--target:#0b7a53;--stop:#c2303b;--hold:#7a4fc0;color-scheme:light"""

STYLE = f"""
:root{{{_DARK}}}
@media (prefers-color-scheme:light){{:root{{{_LIGHT}}}}}
@media print{{:root{{{_LIGHT};--bg:#fff}}.filters{{display:none}}section,details,.card{{break-inside:avoid}}
main{{max-width:none}}}}
*{{box-sizing:border-box}}
html{{-webkit-text-size-adjust:100%}}
body{{margin:0;background:var(--bg);color:var(--text);
font:14px/1.5 Geist,Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}}
main,header.top,footer{{max-width:1240px;margin:0 auto;padding:0 24px}}
h1{{font-size:22px;line-height:1.25;margin:0 0 4px;font-weight:600;letter-spacing:-.01em}}
h2{{font-size:16px;margin:0 0 4px;font-weight:600}}
h3{{font-size:14px;margin:20px 0 4px;font-weight:600}}
p{{margin:0 0 8px;max-width:92ch}}
a{{color:var(--accent);text-decoration:none}}a:hover{{text-decoration:underline}}
:focus-visible{{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}}
section{{margin:40px 0 0}}
.soft,.note{{color:var(--soft)}}.note{{font-size:13px}}
.gain{{color:var(--gain)}}.loss{{color:var(--loss)}}.warn{{color:var(--warn)}}
.num,td.n,th.n,.mono,code{{font-family:"Geist Mono",ui-monospace,"SF Mono",Menlo,Consolas,monospace;
font-variant-numeric:tabular-nums}}
.mono,code{{font-size:12px}}
td.n,th.n{{text-align:right;white-space:nowrap}}td.n,.num{{font-size:13px}}
td.n .soft{{font-family:Geist,Inter,system-ui,sans-serif;white-space:normal}}
header.top{{padding-top:24px;padding-bottom:20px;border-bottom:1px solid var(--line)}}
.badge{{display:inline-block;border:1px solid var(--soft);color:var(--soft);border-radius:4px;padding:0 8px;
font-size:12px;font-weight:600;
letter-spacing:.06em;margin-bottom:8px}}
.badge.paper{{border-color:var(--accent);color:var(--accent)}}
dl.facts{{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:8px 24px;margin:16px 0 0}}
dl.facts div{{min-width:0}}dt{{color:var(--soft);font-size:12px}}dd{{margin:0;overflow-wrap:anywhere}}
dl.hashes{{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:8px 0}}
.flags{{list-style:none;margin:12px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:8px}}
.flags li{{border:1px solid var(--warn);color:var(--warn);border-radius:4px;padding:0 8px;font-size:13px}}
.cards{{display:grid;grid-template-columns:repeat(3,1fr);gap:16px;margin:16px 0}}
.tile{{background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:16px}}
.tile .big{{font-size:26px;line-height:1.25;font-weight:600;letter-spacing:-.02em}}
.tile p{{margin:4px 0 0;color:var(--soft);font-size:13px}}
.tile.first{{border-color:var(--soft)}}
.scroll{{overflow-x:auto;-webkit-overflow-scrolling:touch}}
table{{border-collapse:collapse;width:100%}}
th,td{{text-align:left;padding:5px 10px;border-bottom:1px solid var(--line);vertical-align:top}}
th{{color:var(--soft);font-weight:500;font-size:12px;white-space:nowrap}}
tbody tr:hover{{background:var(--raised)}}tr:target{{background:var(--raised);outline:1px solid var(--accent)}}
.when{{white-space:nowrap}}.two th{{white-space:normal}}
.dense th,.dense td{{padding-left:6px;padding-right:6px}}
tr.total td{{font-weight:600;border-top:1px solid var(--soft)}}
.two{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:8px 40px;align-items:start}}
.share{{display:inline-block;vertical-align:middle;height:6px;border-radius:3px;background:var(--soft);min-width:1px}}
svg{{display:block;width:100%;height:auto;min-width:720px}}
svg text{{fill:var(--soft);font:11px "Geist Mono",ui-monospace,Menlo,Consolas,monospace;
font-variant-numeric:tabular-nums}}
.grid{{stroke:var(--line);stroke-width:1;fill:none}}.zero{{stroke:var(--soft);stroke-dasharray:2 3}}
.equity{{stroke:var(--accent);fill:none;stroke-width:1.5;stroke-linejoin:round}}.hold{{stroke:var(--hold);fill:none;
stroke-width:1.5}}
.under{{fill:var(--loss);fill-opacity:.25;stroke:var(--loss);stroke-width:1}}
.wick{{stroke:var(--up);stroke-width:1;fill:none}}.rise{{fill:var(--up)}}.fall{{fill:var(--down)}}
.life{{stroke-width:2;fill:none;stroke:var(--soft)}}g.gain .life{{stroke:var(--gain)}}
g.loss .life{{stroke:var(--loss)}}
.sl{{stroke:var(--stop);stroke-dasharray:4 2;fill:none}}.tp{{stroke:var(--target);stroke-dasharray:1 3;fill:none;
stroke-width:1.5}}
.mark{{fill:var(--text);stroke:var(--bg);stroke-width:1}}g.gain .exit{{fill:var(--gain)}}
g.loss .exit{{fill:var(--loss)}}.exit{{stroke:var(--bg)}}
.key{{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:12px;color:var(--soft);margin:4px 0 8px;padding:0;
list-style:none}}
.key i{{display:inline-block;width:18px;height:0;border-top:2px solid currentColor;vertical-align:middle;
margin-right:6px}}
.key .dash{{border-top-style:dashed}}.key .dot{{border-top-style:dotted}}
details{{border-bottom:1px solid var(--line)}}
summary{{cursor:pointer;padding:6px 4px;list-style-position:outside;margin-left:18px}}
summary:hover{{background:var(--raised)}}
.line{{display:inline-grid;
grid-template-columns:44px 132px 92px 52px minmax(110px,1.1fr) minmax(170px,1.6fr) minmax(120px,1fr);gap:0 8px;
width:calc(100% - 8px);vertical-align:top}}
.line>*{{min-width:0;overflow-wrap:anywhere}}
.inside{{padding:4px 4px 24px 18px}}
.tag{{display:inline-block;border:1px solid var(--line);border-radius:4px;padding:0 6px;font-size:12px;
white-space:nowrap}}
.tag.yes{{border-color:var(--gain);color:var(--gain)}}.tag.veto{{border-color:var(--loss);color:var(--loss)}}
.lanes{{display:grid;grid-template-columns:repeat(3,1fr);gap:8px;margin:8px 0 16px}}
.lanes h4{{margin:0;font-size:12px;font-weight:500;color:var(--soft)}}
.round{{grid-column:1/-1;font-size:12px;color:var(--soft);border-top:1px dashed var(--line);padding-top:4px}}
.card{{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:8px 10px;min-width:0}}
.card p{{margin:4px 0;font-size:13px;overflow-wrap:anywhere}}.odds{{font-size:12px;color:var(--soft);margin-left:8px}}
.chips{{display:flex;flex-wrap:wrap;gap:4px;margin:6px 0 0;padding:0;list-style:none}}
.chips li{{font:11px/1.5 "Geist Mono",ui-monospace,Menlo,Consolas,monospace;border:1px solid var(--line);
border-radius:4px;padding:0 5px;
color:var(--soft);overflow-wrap:anywhere}}.chips b{{color:var(--text);font-weight:500}}
.inside table{{width:auto;min-width:min(100%,560px);margin:4px 0 12px}}
.inside td,.inside th{{padding:2px 10px 2px 0;font-size:13px}}
tr.binds td{{color:var(--warn)}}
.filters{{margin:8px 0;display:flex;flex-wrap:wrap;gap:8px 16px}}.filters label{{cursor:pointer}}
.book:has(#f-traded:checked) details:not(.traded),.book:has(#f-vetoed:checked) details:not(.vetoed),
.book:has(#f-refused:checked) details:not(.refused){{display:none}}
footer{{padding-top:40px;padding-bottom:40px}}
@media (max-width:760px){{
main,header.top,footer{{padding-left:16px;padding-right:16px}}.cards{{grid-template-columns:1fr}}
.lanes{{grid-template-columns:1fr}}
.lanes>h4{{display:none}}.line{{display:inline-flex;flex-wrap:wrap}}dl.hashes{{grid-template-columns:1fr;gap:0}}
dl.hashes dd{{margin-bottom:8px}}
th,td{{padding:5px 8px}}.inside{{padding-left:4px}}.who{{display:inline!important}}
}}
.who{{display:none;color:var(--soft);font-size:12px;margin-right:6px}}
"""
