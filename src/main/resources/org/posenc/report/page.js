"use strict";
(() => {
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = v => {
    if (v === null || Number.isNaN(v)) return "–";
    const size = Math.abs(v);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? v.toExponential(1).replace(".0e", "e").replace("e+", "e") : String(+v.toFixed(4));
  };

  // A band is a custom series of (x, low, high): one polygon along the upper edge and back along the lower.
  const band = series => {
    const edge = (api, at) => series.data.map(p => api.coord([p[0], p[at]]));
    return {
      ...series, silent: true, z: 1, tooltip: { show: false }, encode: { x: 0, y: [1, 2] }, clip: true,
      renderItem: (params, api) => params.dataIndexInside > 0 ? undefined : {
        type: "polygon", shape: { points: [...edge(api, 2), ...edge(api, 1).reverse()] }, style: { fill: series.color, opacity: 0.16 },
      },
    };
  };

  const themed = (option, width) => {
    const ink = css("--ink"), muted = css("--muted"), line = css("--line"), sheet = css("--sheet");
    const scatter = option.series.some(s => s.type === "scatter");
    const narrow = width < 560;
    const axis = (a, vertical) => ({
      ...a,
      ...(a.type === "log" ? { logBase: few(option, vertical ? 1 : 0) ? 2 : 10 } : {}),
      nameLocation: "middle", nameGap: vertical ? 52 : 30,
      nameTextStyle: { color: ink, fontSize: 13 },
      axisLabel: { color: muted, fontSize: 12, hideOverlap: true, ...(narrow && !vertical ? { alignMaxLabel: "right" } : {}), ...(a.type === "category" ? {} : { formatter: a.type === "log" ? powers(option, vertical ? 1 : 0) : number }) },
      axisLine: { show: !vertical, onZero: false, lineStyle: { color: line } },
      axisTick: { show: false },
      minorTick: { show: false },
      splitLine: { show: vertical, lineStyle: { color: line } },
      ...(a.type === "category" ? { boundaryGap: false } : {}),
      ...(a.type === "log" ? tight(option, vertical ? 1 : 0, scatter ? 1.2 : 1) : scatter ? { boundaryGap: ["10%", "14%"] } : {}),
    });
    const names = [...new Set(option.series.map(s => s.name))];
    return {
      ...option,
      textStyle: { fontFamily: css("--font") },
      grid: { left: 72, right: scatter || narrow ? 16 : 170, top: 16, bottom: narrow && !scatter ? 46 + 24 * Math.ceil(names.length / 3) : 48 },
      legend: {
        show: !scatter, data: names.map(name => ({ name, itemStyle: { opacity: 1 } })), textStyle: { color: ink, fontSize: 13 },
        inactiveColor: line, itemWidth: 28, itemHeight: 9,
        ...(narrow ? { bottom: 0, left: 0, itemGap: 10, itemWidth: 22 } : { orient: "vertical", right: 0, top: 8, width: 150, itemGap: 12 }),
      },
      tooltip: {
        trigger: scatter ? "item" : "axis", confine: true, backgroundColor: sheet, borderColor: line, textStyle: { color: ink, fontSize: 13 },
        order: "valueDesc", valueFormatter: v => number(Array.isArray(v) ? v[v.length - 1] : v),
        ...(scatter ? { formatter: p => `${p.marker}${echarts.format.encodeHTML(p.seriesName)}<br>${echarts.format.encodeHTML(option.xAxis.name)}: ${number(p.value[0])}<br>${echarts.format.encodeHTML(option.yAxis.name)}: ${number(p.value[1])}` } : {}),
      },
      xAxis: axis(option.xAxis, false),
      yAxis: axis(option.yAxis, true),
      series: option.series.map(s => s.type === "custom" ? band(s) : s.type === "scatter"
        ? { ...s, itemStyle: { opacity: 0.95 }, label: { show: true, formatter: "{a}", position: "top", color: ink, fontSize: 12 }, labelLayout: { moveOverlap: "shiftY" } }
        : { ...s, z: 2, emphasis: { focus: "series" } }),
    };
  };

  const range = (option, at) => {
    // A band's points are (x, low, high).
    const values = option.series.flatMap(s => s.data.flatMap(p => at === 0 ? p[0] : p.slice(1))).filter(v => v > 0);
    return values.length ? [Math.min(...values), Math.max(...values)] : [1, 10];
  };
  // Less than two decades have two powers of ten at most: their ticks are powers of two.
  const few = (option, at) => { const [low, high] = range(option, at); return high / low < 100; };
  // A logarithmic axis ends where the data do, not at the next power, and is labelled at those powers.
  const tight = (option, at, margin) => {
    const [low, high] = range(option, at), pad = margin * Math.max(1, (high / low) ** 0.04);
    return { min: at === 0 && margin === 1 ? low : low / pad, max: at === 0 && margin === 1 ? high : high * pad };
  };
  const powers = (option, at) => {
    const log = few(option, at) ? Math.log2 : Math.log10, [low, high] = range(option, at);
    if (Math.floor(log(high)) - Math.ceil(log(low)) < 1) return v => number(+v.toPrecision(3));
    return v => Math.abs(log(v) - Math.round(log(v))) < 1e-6 ? number(v) : "";
  };

  const charts = [...document.querySelectorAll(".chart")].map(element => {
    const option = JSON.parse(element.parentElement.querySelector("script").textContent);
    const chart = echarts.init(element, null, { renderer: "svg" });
    const draw = () => chart.setOption(themed(option, element.clientWidth), true);
    draw();
    return { chart, draw, element };
  });
  const redraw = () => charts.forEach(({ chart, draw }) => { chart.resize(); draw(); });
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; redraw(); } });
  addEventListener("beforeprint", redraw);
  addEventListener("afterprint", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  // The numbers of a figure, for whoever wants to copy them.
  document.querySelectorAll("figure > script[type='application/json']").forEach(script => {
    const details = document.createElement("details");
    details.className = "data";
    const summary = document.createElement("summary");
    summary.textContent = "Data";
    const pre = document.createElement("pre");
    pre.tabIndex = 0;
    details.append(summary, pre);
    details.addEventListener("toggle", () => {
      const data = JSON.parse(script.textContent);
      pre.textContent = data.series
        ? data.series.filter(s => s.type !== "custom").map(s => JSON.stringify({ name: s.name, [data.xAxis.name]: s.data.map(p => p[0]), [data.yAxis.name]: s.data.map(p => p[1]) })).join("\n")
        : JSON.stringify(data);
    });
    script.after(details);
  });

  document.querySelectorAll("thead button").forEach(button => button.addEventListener("click", () => {
    const heading = button.parentElement, row = heading.parentElement, body = row.parentElement.nextElementSibling;
    const column = [...row.children].indexOf(heading);
    const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    [...row.children].forEach(other => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    const key = line => { const cell = line.children[column]; return cell.dataset.value === undefined ? cell.textContent : +cell.dataset.value; };
    const compare = (a, b) => typeof a === "number" && typeof b === "number"
      ? Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : sign * (a - b)
      : sign * String(a).localeCompare(String(b));
    [...body.children].sort((a, b) => compare(key(a), key(b))).forEach(line => body.append(line));
  }));

  document.documentElement.dataset.ready = String(charts.length);
})();
