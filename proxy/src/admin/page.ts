// The page that shows /stats to people. It is one file, loads nothing from elsewhere and refreshes itself.

export const ADMIN_PAGE: string = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Mica</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
  th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid #ddd; }
  td { font-variant-numeric: tabular-nums; }
</style>
<h1>Mica</h1>
<p id="state">Loading</p>
<table id="totals"></table>
<h2>Upstreams</h2>
<table id="upstreams"></table>
<p><a href="/stats">stats</a> <a href="/metrics">metrics</a> <a href="/readyz">readyz</a></p>
<script>
  const bytes = (count) => {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit += 1; }
    return count.toFixed(unit === 0 ? 0 : 1) + ' ' + units[unit];
  };
  const fill = (id, rows) => {
    const table = document.getElementById(id);
    table.replaceChildren(...rows.map((cells) => {
      const row = document.createElement('tr');
      row.append(...cells.map((text, index) => {
        const cell = document.createElement(index === 0 ? 'th' : 'td');
        cell.textContent = text;
        return cell;
      }));
      return row;
    }));
  };
  const show = async () => {
    const stats = await (await fetch('/stats')).json();
    document.getElementById('state').textContent =
      'Version ' + stats.version + ' on ' + stats.runtime + ', up for ' + stats.uptimeSeconds + ' s';
    fill('totals', [
      ['Requests', stats.totals.requests],
      ['Served', bytes(stats.totals.bytesServed)],
      ['Fetched', bytes(stats.totals.bytesFetched)],
      ['Hit ratio', stats.hitRatio === undefined ? '' : (stats.hitRatio * 100).toFixed(1) + ' %'],
      ['Stored', bytes(stats.store.bytes) + ' in ' + stats.store.blobs + ' blobs'],
      ['Damaged', stats.totals.damaged],
      ['Evicted', bytes(stats.totals.evictedBytes)],
    ]);
    fill('upstreams', stats.upstreams.map((one) => [
      one.name, 'circuit ' + one.circuit, one.requests + ' requests', one.failures + ' failed',
      bytes(one.bytesReceived),
      one.rateLimit?.remaining === undefined ? '' : one.rateLimit.remaining + ' pulls left',
    ]));
  };
  const refresh = () => show().catch((error) => {
    document.getElementById('state').textContent = String(error);
  });
  refresh();
  setInterval(refresh, 5000);
</script>
</html>
`;
