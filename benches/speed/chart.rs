//! The table as a picture: bars from 1, which is the peer's time, on a logarithmic axis.

use std::fmt::Write;

use crate::report::Line;

const WIDTH: f64 = 860.0;
/// Where the axis begins and ends, in pixels and as ratios.
const LEFT: f64 = 430.0;
const RIGHT: f64 = 800.0;
const LEAST: f64 = 0.02;
const MOST: f64 = 5.0;
const ROW: f64 = 18.0;
const TOP: f64 = 44.0;

/// What an image of its own can know of the page it is on: whether that is dark.
const STYLE: &str = "
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.peer, .axis { fill: #59636e }
.grid { stroke: #d1d9e0 }
.one { stroke: #59636e }
.bar { fill: #0969da }
.missed { fill: #bc4c00 }
.target { stroke: #1f2328; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .peer, .axis { fill: #9198a1 }
  .grid { stroke: #3d444d }
  .one { stroke: #9198a1 }
  .bar { fill: #4493f8 }
  .missed { fill: #db6d28 }
  .target { stroke: #f0f6fc }
}
";

/// Draws the lines that have a target.
pub(crate) fn draw(lines: &[Line]) -> String {
    let lines: Vec<&Line> = lines.iter().filter(|line| line.target.is_some()).collect();
    let bottom = TOP + ROW * lines.len() as f64;
    let mut svg = String::new();
    let height = bottom + 12.0;
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>Each work's time as a multiple of its peer's, and the most it may be</title>\n\
         <style>{STYLE}</style>\n"
    );
    axis(&mut svg, bottom);
    for (index, line) in lines.iter().enumerate() {
        bar(&mut svg, line, TOP + ROW * index as f64);
    }
    svg.push_str("</svg>\n");
    svg
}

fn axis(svg: &mut String, bottom: f64) {
    let _ = writeln!(
        svg,
        "<text class=\"axis\" x=\"8\" y=\"20\">work, placement <tspan class=\"peer\">against</tspan></text>"
    );
    for ratio in [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0] {
        let (x, class) = (x(ratio), if ratio == 1.0 { "one" } else { "grid" });
        let _ = writeln!(
            svg,
            "<text class=\"axis\" x=\"{x:.1}\" y=\"20\" text-anchor=\"middle\">{ratio}×</text>\n\
             <line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"28\" y2=\"{bottom}\"/>"
        );
    }
}

fn bar(svg: &mut String, line: &Line, y: f64) {
    let (end, one) = (x(line.ratio), x(1.0));
    let (from, width) = (end.min(one), (end - one).abs().max(1.0));
    let class = if line.is_met() { "bar" } else { "bar missed" };
    let text = y + 13.0;
    let name = escaped(&format!("{}, {}", line.name, line.placement));
    let against = escaped(&line.against);
    let _ = writeln!(
        svg,
        "<g><title>{name}: {shown}, {ratio:.2} × {against}</title>\n\
         <text x=\"8\" y=\"{text}\">{name}</text>\n\
         <rect class=\"{class}\" x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"10\"/>\n\
         <text x=\"{label}\" y=\"{text}\">{ratio:.2}</text>",
        shown = escaped(&line.shown),
        ratio = line.ratio,
        top = y + 4.0,
        label = RIGHT + 16.0,
    );
    if let Some(target) = line.target {
        let x = x(target);
        let _ = writeln!(
            svg,
            "<line class=\"target\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{}\"/>",
            y + 1.0,
            y + 17.0
        );
    }
    svg.push_str("</g>\n");
}

/// Where a ratio is; what is off the axis is at its end.
fn x(ratio: f64) -> f64 {
    let share = (ratio.max(LEAST) / LEAST).ln() / (MOST / LEAST).ln();
    LEFT + (RIGHT - LEFT) * share.min(1.0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "")
}
