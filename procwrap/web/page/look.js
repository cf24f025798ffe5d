// How things are said and drawn. statusrows.py and statuspage.py say the same, so that nothing flickers.

const TONES = {failed: 'bad', unhealthy: 'bad', backoff: 'warn', starting: 'busy', stopping: 'busy', waiting: 'busy',
	running: 'ok', standby: 'idle'};
const ORDER = ['bad', 'warn', 'busy', 'off', 'ok', 'idle'];
export const WINDOW = 600_000; // what the charts show, in milliseconds
export const FINAL = ['exited', 'failed', 'stopped', 'skipped'];

export const tone = p => p.state === 'exited' ? (p.healthy ? 'idle' : 'bad') : TONES[p.state] ?? 'off';
export const icon = p => p.state === 'exited' && !p.healthy ? 'crashed' : p.state;
export const rank = p => ORDER.indexOf(tone(p));

export function duration(seconds) {
	const whole = Math.max(Math.floor(seconds), 0);
	const [minutes, hours, days] = [60, 3600, 86400].map(unit => Math.floor(whole / unit));
	if (days) return `${days}d ${hours % 24}h`;
	if (hours) return `${hours}h ${minutes % 60}m`;
	return minutes ? `${minutes}m ${whole % 60}s` : `${whole}s`;
}

export function size(count) {
	const mebibytes = count / 1048576;
	return mebibytes >= 1024 ? `${(mebibytes / 1024).toFixed(2)} GiB` : `${mebibytes.toFixed(mebibytes >= 10 ? 0 : 1)} MiB`;
}

export const share = cores => `${(cores * 100).toFixed(cores >= .1 ? 0 : 1)}%`;
export const took = seconds => seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
export const maybe = (value, say) => value == null ? '' : say(value);

export function probes(checks) {
	const names = Object.keys(checks), name = names.find(one => !checks[one].healthy);
	if (name) return `${name} fails ${checks[name].failures}/${checks[name].threshold}`;
	return names.length ? `${names.join(', ')} ok` : '';
}

export function lastExit({lastExit: last, lastExitAt: at}, wall) {
	return last ? last.reason + (at ? `, ${duration((wall - Date.parse(at)) / 1000).split(' ')[0]} ago` : '') : '';
}

// Tone, shape, words and the reason of the whole.
export function verdict(host, processes) {
	if (host.shutdown) return ['warn', 'stopping', 'Shutting down', 'the processes are being stopped'];
	if (host.preempted) return ['warn', 'stopping', 'Preempted', 'this machine is about to be taken away'];
	const all = processes.length, standing = processes.filter(p => p.state === 'standby');
	if (host.healthy) return ['ok', 'running', 'Ready', standing.length ? `${all - standing.length} fine, ${standing.length} standing by` :
		all > 1 ? `all ${all} processes are fine` : ''];
	const ailing = processes.filter(p => !p.healthy && p.state !== 'standby').sort((a, b) => rank(a) - rank(b));
	const causes = ailing.length ? ailing : standing, [first] = causes;
	if (!first) return ['busy', 'waiting', 'Not ready', 'nothing was started yet'];
	const more = causes.length > 1 ? `, and ${causes.length - 1} more` : '', why = `${first.name}: ${first.reason || first.state}${more}`;
	const soon = causes.every(p => ['starting', 'waiting', 'standby'].includes(p.state));
	return soon ? ['busy', 'starting', 'Not ready', why] : ['bad', 'unhealthy', 'Not ready', why];
}

// One column of samples as a filled area and the line on top of it, for values from 0 to `top`; at most `most` points.
export function area(samples, column, top, width, height, most) {
	const now = performance.now(), step = width / most, runs = [];
	let run, last = -Infinity;
	for (const sample of samples) {
		const value = sample[column], age = now - sample[0];
		if (value == null || age > WINDOW) continue;
		if (sample[0] - last > 45_000) runs.push(run = []); // it did not run in between
		last = sample[0];
		const x = width * (1 - age / WINDOW), before = run.at(-1);
		if (before && Math.floor(before[0] / step) === Math.floor(x / step)) before[1] = Math.max(before[1], value);
		else run.push([x, value]);
	}
	let filled = '', line = '';
	for (const points of runs) {
		if (points.length === 1) points.unshift([points[0][0] - step, points[0][1]]);
		const path = points.map(([x, value]) => `${x.toFixed(1)} ${(height - Math.max(value / top * height, 1)).toFixed(1)}`).join('L');
		filled += `M${points[0][0].toFixed(1)} ${height}L${path}L${points.at(-1)[0].toFixed(1)} ${height}Z`;
		line += `M${path}`;
	}
	return [filled, line];
}

export const peak = (samples, column, least) => samples.reduce((top, sample) => Math.max(top, sample[column] ?? 0), least);

// Rounds as bars: a failed one is taller, so that colour is not the only sign.
export function strip(rounds, count, width, height) {
	const shown = rounds.slice(-count), bars = ['', ''];
	shown.forEach(([, healthy], index) => {
		const x = (count - shown.length + index + .5) * width / count;
		bars[healthy ? 0 : 1] += `M${x.toFixed(1)} ${height}v${healthy ? -height / 2 : -height}`;
	});
	return bars;
}

export const draw = (paths, lines) => paths.forEach((path, index) => set(path, 'd', lines[index]));

// Change a text or an attribute, if it is not so already.
export function put(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

export function set(element, name, value) {
	if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function face(element, use, p) {
	set(element, 'data-tone', tone(p));
	set(use, 'href', `#i-${icon(p)}`);
}

export function make(tag, attributes = {}, ...children) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
	made.append(...children);
	return made;
}

// A copy of a shape of the page, to be filled.
export const shape = (like = '#verdict svg') => document.querySelector(like).cloneNode(true);

export const $ = id => document.getElementById(id);
