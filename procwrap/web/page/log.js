// The live log of one process: bounded, in chunks that a browser can skip when they are not in sight.

import {follow} from './wire.js';
import {headers, refused} from './access.js';
import {$, make, put, set} from './look.js';

const MOST = 5000, CHUNK = 100, LONGEST = 4000, SLICE = 8; // lines, lines, characters, milliseconds
const LEVEL = /(?:^|[\s{,])"?(?:level|severity)"?[=:]\s*"?(\w+)/i;
const FIELDS = /([^\s="]+)=("(?:[^"\\]|\\.)*"|\S*)/g;
const TONES = {warning: 'warn', warn: 'warn', error: 'bad', fatal: 'bad', critical: 'bad', debug: 'dim', trace: 'dim'};

const view = $('l-view'), find = $('l-find'), note = $('l-note');
const toggles = {wrap: $('l-wrap'), follow: $('l-follow'), pause: $('l-pause')};
const is = name => toggles[name].getAttribute('aria-pressed') === 'true';

let link, lines = [], taken = 0, chunk, flushing = 0, fits = () => true, fresh = true, counted = 0;

const unquote = text => text[0] === '"' ? text.slice(1, -1).replace(/\\(["\\nrt])/g, (_, one) => ({n: '\n', r: '\r', t: '\t'})[one] ?? one) : text;

function draw(line) {
	const row = document.createElement('div');
	const level = TONES[LEVEL.exec(line)?.[1].toLowerCase()];
	if (level) row.className = level;
	if (!line.startsWith('time=')) {
		row.textContent = line;
		return row;
	}
	let message = '', rest = '', time = '';
	for (const [whole, key, value] of line.matchAll(FIELDS)) {
		if (key === 'time') time = unquote(value).slice(11, 23);
		else if (key === 'msg') message = unquote(value);
		else if (key === 'level') { if (level) rest = ` ${value}${rest}`; }
		else if (key !== 'name' && whole !== 'out=stdout' && key !== 'pid') rest += ` ${whole}`;
	}
	row.append(make('b', {}, time), message);
	if (rest) row.append(make('i', {}, rest));
	return row;
}

// Lines that came and are not shown yet; those that fell out of the bound meanwhile are skipped.
function flush() {
	flushing = 0;
	if (is('pause')) return tell();
	const end = performance.now() + SLICE, follows = is('follow');
	const from = Math.max(taken, counted - lines.length);
	let index = from - (counted - lines.length);
	for (; index < lines.length && performance.now() < end; index++) {
		const line = lines[index];
		if (typeof line === 'string' && !fits(line)) continue;
		if (!chunk || chunk.childElementCount >= CHUNK) view.append(chunk = make('div', {class: 'chunk'}));
		chunk.append(typeof line === 'string' ? draw(line) : make('div', {class: 'mark'}, line.mark));
		while (view.childElementCount > MOST / CHUNK) view.firstChild.remove();
	}
	taken = counted - lines.length + index;
	if (follows) view.scrollTop = view.scrollHeight;
	if (taken < counted) later(0);
	tell();
}

function later(wait = 100) {
	flushing ||= setTimeout(flush, wait);
}

function tell() {
	put(note, is('pause') ? `Paused; ${counted - taken} new lines.` : view.firstChild ? '' : find.value ? 'No line matches.' : 'No output yet.');
}

function add(more) {
	for (const line of more) lines.push(line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line);
	counted += more.length;
	if (lines.length > MOST * 1.2) lines = lines.slice(-MOST);
	later();
}

function received({type, data}) {
	if (type === 'dropped') return add([{mark: `${data.join('')} lines are missing: they came faster than this page could read`}]);
	if (fresh && lines.length) {
		// After a loss the recent lines come again: go on behind the last one that is here.
		const last = lines.findLast(line => typeof line === 'string'), known = data.lastIndexOf(last);
		if (known < 0) add([{mark: 'Connected again; lines may be missing here'}]);
		data = data.slice(known + 1);
	}
	fresh = false;
	add(data);
}

function redraw() {
	view.replaceChildren();
	chunk = null;
	taken = 0;
	flush();
}

export function openLog(process) {
	closeLog();
	lines = [];
	counted = 0;
	press('pause', false);
	press('follow', true);
	redraw();
	put(note, 'Connecting…');
	link = follow(`/api/processes/${encodeURIComponent(process)}/logs?lines=500&follow`, {
		headers,
		on: received,
		state(what, detail) {
			fresh ||= what === 'open';
			if (what === 'open') tell();
			if (what === 'lost') put(note, 'Connection lost; trying again.');
			if (what === 'refused') {
				put(note, detail.why);
				if (detail.status === 401) refused();
			}
		},
	});
}

export function closeLog() {
	link?.close();
	link = null;
	clearTimeout(flushing);
	flushing = 0;
}

const press = (which, on) => set(toggles[which], 'aria-pressed', String(on));

function refilter() {
	const text = find.value.toLowerCase(), written = /^\/(.+)\/$/.exec(find.value)?.[1];
	find.removeAttribute('aria-invalid');
	fits = line => line.toLowerCase().includes(text);
	try {
		const pattern = written && new RegExp(written, 'i');
		if (pattern) fits = line => pattern.test(line);
	} catch (error) {
		find.setAttribute('aria-invalid', 'true');
		return put(note, error.message);
	}
	redraw();
}

find.oninput = refilter;
for (const [which, button] of Object.entries(toggles)) button.onclick = () => {
	press(which, !is(which));
	if (which === 'wrap') view.classList.toggle('wrap', is('wrap'));
	flush();
};

// Scrolling up stops following, scrolling down to the end starts it again.
let height = 0;
view.addEventListener('scroll', () => {
	const bottom = view.scrollHeight - view.scrollTop - view.clientHeight < 30;
	if (bottom) press('follow', true);
	else if (view.scrollTop < height) press('follow', false);
	height = view.scrollTop;
}, {passive: true});
