#include "apps/pages/style.h"
#include "apps/pages/svg_plot.h"

namespace resflow {

std::string page_style() {
  static constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--page:#fff;--ink:#1d2430;--soft:#5b6472;--rule:#dfe3e8;--box:#f5f6f8;
--right:11 98 196;--wrong:208 66 10;--heat-ink:#fff;--bar:#0b62c4}
@media(prefers-color-scheme:dark){:root{--page:#181b20;--ink:#e6e9ee;--soft:#a3acb9;--rule:#333942;--box:#22262d;
--right:108 178 255;--wrong:255 140 80;--heat-ink:#10141a;--bar:#6cb2ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:76rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.5rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--rule);overflow-wrap:anywhere}
p{margin:.5rem 0;max-width:60rem;overflow-wrap:anywhere}
.verdict{font-size:1.15rem}
.soft{color:var(--soft)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1rem 0 0;padding:0}
.facts div{background:var(--box);border-radius:.5rem;padding:.6rem .8rem}
.facts dt{color:var(--soft);font-size:.85rem}
.facts dd{margin:0;font-size:1.35rem;font-weight:600}
.facts small{display:block;font-weight:400;font-size:.8rem;color:var(--soft)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1.25rem}
.plots>*{max-width:34rem}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--rule);font-weight:400}
thead th{color:var(--soft);font-size:.85rem;vertical-align:bottom}
tbody th,th.name,td.name{text-align:left;max-width:24rem;min-width:5.5rem;overflow-wrap:anywhere}
tr.sum th,tr.sum td{font-weight:600}
.bar{display:inline-block;width:6rem;height:.6rem;background:var(--box);border-radius:.3rem;overflow:hidden}
.bar i{display:block;height:100%;background:var(--bar)}
.matrix th,.matrix td{border:1px solid var(--page);padding:.25rem;text-align:center}
.matrix td{min-width:2.4rem;height:2.4rem;background:rgb(var(--wrong)/calc(var(--v)*.95 + .03))}
.matrix td.diagonal{background:rgb(var(--right)/calc(var(--v)*.95 + .03))}
.matrix td.hot{color:var(--heat-ink)}
.matrix td.zero{color:transparent}
.matrix thead th{height:auto}
.matrix thead th span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:10rem;overflow:hidden;
text-overflow:ellipsis;white-space:nowrap;display:inline-block}
.matrix tbody th{position:sticky;left:0;background:var(--page);text-align:right;padding:.25rem .6rem;
max-width:11rem;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;z-index:1}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:1rem;margin:0;padding:0}
figure{margin:0;min-width:0;background:var(--box);border-radius:.5rem;overflow:hidden}
figure .frame{display:flex;align-items:center;justify-content:center;height:10rem;background:rgb(128 128 128/.14);
color:var(--soft)}
figure img{display:block;max-width:100%;max-height:100%;width:auto;height:auto}
figcaption{padding:.5rem .6rem .6rem;font-size:.85rem;line-height:1.4;overflow-wrap:anywhere}
figcaption b{font-weight:600}
figcaption .path{display:block;color:var(--soft);font-size:.75rem;margin-top:.25rem}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--soft)}
ul.files{padding-left:1.2rem;overflow-wrap:anywhere}
@media(max-width:30rem){main{padding:1rem .9rem 3rem}h1{font-size:1.35rem}.verdict{font-size:1.05rem}
th,td{padding:.3rem .4rem;font-size:.9rem}.cards{grid-template-columns:repeat(2,minmax(0,1fr));gap:.7rem}
figure .frame{height:8rem}.bar{width:3rem}tbody th,td.name{max-width:9rem}
.matrix tbody th{max-width:6.5rem}}
@media print{details>*{display:block}section{break-inside:avoid-page}}
)css";
  return kStyle + svg_plot_style();
}

}  // namespace resflow
