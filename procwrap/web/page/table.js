// The table of processes: takes over the rows that the server wrote, and changes only cells that changed.

import {FACTS, GONE, PROBES, USAGE, all, uptime, wall, watch} from './store.js';
import {$, area, draw, duration, face, lastExit, make, maybe, peak, probes, put, rank, set, shape, share, size, strip} from './look.js';

const body = $('rows'), heads = [...document.querySelectorAll('th[data-key]')];
const filter = {text: '', state: ''}, sorting = {key: 'rank', down: false};
const written = new Map([...body.rows].map(tr => [tr.dataset.name, adopt(tr)]));
const rows = new Map(); // entry -> row
let quiet = 0, later, chosen;

const KEYS = {
	rank: ({p}) => rank(p),
	name: ({name}) => name,
	cpu: ({p}) => p.usage?.cpu ?? -1,
	memory: ({p}) => p.usage?.memoryBytes ?? -1,
	up: entry => uptime(entry) ?? -1,
	restarts: ({p}) => p.restarts,
};

function adopt(tr) {
	const row = {tr, use: tr.querySelector('use'), link: tr.querySelector('a'), paths: tr.querySelectorAll('path')};
	for (const cell of tr.querySelectorAll('[data-f]')) row[cell.dataset.f] = cell;
	return row;
}

function rowOf(entry) {
	let row = rows.get(entry);
	if (row) return row;
	row = written.get(entry.name);
	written.delete(entry.name);
	if (!row) {
		row = adopt($('row').content.firstElementChild.cloneNode(true));
		row.tr.dataset.name = row.link.textContent = entry.name;
		row.link.href = `#${encodeURIComponent(entry.name)}`;
		body.append(row.tr);
	}
	rows.set(entry, row);
	row.tr.classList.toggle('open', entry.name === chosen);
	return row;
}

function tick(entry, row) {
	put(row.up, maybe(uptime(entry), duration));
	put(row.exit, lastExit(entry.p, wall()));
}

watch((entry, what) => {
	const {p, usage, rounds} = entry;
	if (what & GONE) {
		rows.get(entry)?.tr.remove();
		rows.delete(entry);
		return;
	}
	const row = rowOf(entry), [ok, no, cpu, memory] = row.paths;
	if (what & FACTS) {
		face(row.tr, row.use, p);
		put(row.state, p.state);
		put(row.why, p.reason);
		put(row.pid, p.pid == null ? '' : `pid ${p.pid}`);
		set(row.tr, 'data-pid', row.pid.textContent);
		put(row.restarts, String(p.restarts));
		put(row.probes, probes(p.checks));
		tick(entry, row);
	}
	put(row.cpu, maybe(p.usage?.cpu, share));
	put(row.memory, maybe(p.usage?.memoryBytes, size));
	if (what & USAGE) {
		draw([cpu], area(usage, 1, peak(usage, 1, .05), 120, 20, 40));
		draw([memory], area(usage, 2, peak(usage, 2, 1) * 1.15, 120, 20, 40));
	}
	if (what & PROBES) {
		const names = Object.keys(rounds), failing = names.find(name => p.checks[name]?.healthy === false);
		draw([ok, no], strip(rounds[failing ?? names[0]] ?? [], 30, 120, 16));
	}
}, moved => {
	// What the server wrote, and the first snapshot does not name.
	for (const {tr} of written.values()) tr.remove();
	written.clear();
	if (moved || sorting.key === 'cpu' || sorting.key === 'memory') arrange();
});

function arrange() {
	clearTimeout(later);
	const wait = quiet - performance.now();
	if (wait > 0) return void (later = setTimeout(arrange, wait)); // nothing moves away from under a pointer
	const sign = sorting.down ? -1 : 1, focused = document.activeElement;
	const sorted = [...rows.keys()].map(entry => [KEYS[sorting.key](entry), entry]).sort(([a, one], [b, two]) =>
		(a < b ? -sign : a > b ? sign : 0) || rank(one.p) - rank(two.p) || one.order - two.order);
	let none = true;
	for (const [, entry] of sorted) {
		const {tr} = rows.get(entry), misses = !matches(entry.p);
		if (tr.hidden !== misses) tr.hidden = misses;
		none &&= misses;
	}
	reorder(sorted.map(([, entry]) => rows.get(entry).tr));
	if (focused !== document.activeElement) focused.focus({preventScroll: true});
	$('none').hidden = !none;
	put($('none'), all.size ? 'No process matches the filter.' : 'No processes yet.');
	chips(sorted);
}

// Move as few rows as can be: the longest run of those that are in order already stays.
function reorder(wanted) {
	const place = new Map([...body.rows].map((tr, index) => [tr, index])), ends = [], before = new Map();
	for (const tr of wanted) {
		let low = 0, high = ends.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (place.get(ends[middle]) < place.get(tr)) low = middle + 1;
			else high = middle;
		}
		before.set(tr, ends[low - 1]);
		ends[low] = tr;
	}
	const stay = new Set();
	for (let tr = ends.at(-1); tr; tr = before.get(tr)) stay.add(tr);
	wanted.reduceRight((next, tr) => {
		if (!stay.has(tr)) body.insertBefore(tr, next);
		return tr;
	}, null);
}

function matches({name, state, reason}) {
	return (!filter.state || state === filter.state) && `${name} ${state} ${reason}`.toLowerCase().includes(filter.text);
}

function chips(sorted) {
	const counts = new Map([['', [all.size]]]);
	if (filter.state) counts.set(filter.state, [0, {state: filter.state, healthy: true}]);
	for (const {p} of sorted.map(([, entry]) => entry).sort((a, b) => rank(a.p) - rank(b.p)))
		counts.set(p.state, [(counts.get(p.state)?.[0] ?? 0) + 1, p]);
	const old = new Map([...$('chips').children].map(chip => [chip.dataset.state, chip]));
	$('chips').append(...[...counts].filter(([state]) => !old.has(state)).map(([state]) => {
		const chip = make('button', {'data-state': state}, make('span', {}, state || 'all'), ' ', make('b'));
		if (state) chip.prepend(shape());
		old.set(state, chip);
		return chip;
	}));
	let at = 0;
	for (const [state, [number, p]] of counts) {
		const chip = old.get(state);
		old.delete(state);
		if (p) face(chip, chip.querySelector('use'), p);
		put(chip.lastChild, String(number));
		set(chip, 'aria-pressed', String(filter.state === state));
		const there = $('chips').children[at++];
		if (there !== chip) $('chips').insertBefore(chip, there);
	}
	for (const chip of old.values()) chip.remove();
}

export function everySecond() {
	for (const [entry, row] of rows) tick(entry, row);
}

export const linkOf = name => rows.get(all.get(name))?.link;

export function current(name) {
	chosen = name;
	for (const [entry, {tr}] of rows) tr.classList.toggle('open', entry.name === name);
}

function atOnce() {
	quiet = 0;
	arrange();
}

$('chips').onclick = ({target}) => {
	const chip = target.closest('button');
	if (!chip) return;
	filter.state = filter.state === chip.dataset.state ? '' : chip.dataset.state;
	atOnce();
};

$('find').oninput = ({target}) => {
	filter.text = target.value.trim().toLowerCase();
	atOnce();
};

for (const head of heads) head.firstChild.onclick = () => {
	const {key} = head.dataset;
	sorting.down = sorting.key === key ? !sorting.down : !['rank', 'name'].includes(key);
	sorting.key = key;
	for (const other of heads) other.removeAttribute('aria-sort');
	set(head, 'aria-sort', sorting.down ? 'descending' : 'ascending');
	atOnce();
};

body.onpointermove = () => { quiet = performance.now() + 1500; };
body.onpointerleave = () => { quiet = 0; };

// A row opens wherever it is clicked, unless a text was being selected.
body.onclick = ({target}) => {
	if (!target.closest('a') && !String(getSelection())) target.closest('tr').querySelector('a').click();
};

body.onkeydown = event => {
	const links = [...body.rows].filter(tr => !tr.hidden).map(tr => tr.querySelector('a')), at = links.indexOf(event.target);
	const next = links[{ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1}[event.key]];
	if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
	event.preventDefault();
	next.focus();
};
