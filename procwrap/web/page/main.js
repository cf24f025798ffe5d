// Brings the parts together: the stream of what happens, the head of the page, orders and the keyboard.

import {follow} from './wire.js';
import {all, host, now, take, time, watch} from './store.js';
import {everySecond} from './table.js';
import {close, open, resume, shownName, suspend, tick} from './panel.js';
import {allowed, ask, call, sure, toast, whenAllowed} from './access.js';
import {$, duration, make, put, rank, set, verdict} from './look.js';

const HIDDEN = 60_000; // milliseconds until a page that nobody looks at lets go of its connections
const name = $('host').textContent, before = new Map();
let link, lost, known, away, saying;

// -- the connection

function connect() {
	link = follow('/live', {on: take, state});
}

function state(what, detail) {
	set($('link'), 'data-link', what);
	put($('link').lastChild, what === 'open' ? 'Live' : 'Offline');
	if (what === 'open') {
		if (lost) say('Connected again.');
		lost = false;
		time.frozen = null;
		time.skew = detail;
		return $('lost').replaceChildren();
	}
	if (!lost) {
		lost = true;
		time.frozen = performance.now();
		const again = make('button', {}, 'Try now');
		again.onclick = () => link.retry();
		$('lost').append(make('p', {}, make('strong', {}, `Connection lost at ${new Date().toLocaleTimeString()}.`),
			' What you see is from then. It comes back by itself.'), again);
	}
}

addEventListener('online', () => link?.retry());

document.addEventListener('visibilitychange', () => {
	clearTimeout(away);
	if (document.hidden) away = setTimeout(() => {
		link.close();
		link = null;
		suspend();
	}, HIDDEN);
	else if (!link) {
		connect();
		resume();
	}
});

// -- the head of the page, and what is said aloud

watch(null, moved => {
	if (!moved || host.seen == null) return;
	const processes = [...all.values()].sort((a, b) => a.order - b.order).map(entry => entry.p);
	const [tone, icon, words, why] = verdict(host, processes), shown = $('verdict');
	set(shown, 'data-tone', tone);
	set(shown.querySelector('use'), 'href', `#i-${icon}`);
	put(shown.querySelector('strong'), words);
	put(shown.querySelector('span'), why);
	put($('version'), host.version);
	document.title = `${tone === 'ok' ? '' : `${words} · `}${name} · procwrap`;
	announce(processes, words);
});

function announce(processes, words) {
	const changed = processes.filter(p => before.has(p.name) && before.get(p.name) !== p.state);
	const said = changed.length > 3 ? [`${changed.length} processes changed`] :
		changed.map(p => `${p.name} is ${p.state}${rank(p) < 2 && p.reason ? `: ${p.reason}` : ''}`);
	if (known && known !== words) said.push(words);
	if (said.length) say(`${said.join('. ')}.`);
	known = words;
	before.clear();
	for (const p of processes) before.set(p.name, p.state);
}

function say(text) {
	clearTimeout(saying);
	put($('say'), text);
	saying = setTimeout(() => put($('say'), ''), 5000);
}

setInterval(() => {
	if (lost || document.hidden) return;
	if (host.seen) put($('up'), duration(host.uptime + (now() - host.seen) / 1000));
	everySecond();
	tick();
}, 1000);

// -- orders

const DONE = {restart: 'restarted', stop: 'stopped', start: 'started'};
const MEANS = {restart: 'It is stopped gracefully, and started again.', stop: 'It stays down until somebody starts it again.'};

async function order(verb) {
	const process = shownName(), needing = [...all.values()].filter(({p}) => p.dependsOn.includes(process)).map(entry => entry.name);
	const needed = needing.length ? ` Depending on it: ${needing.join(', ')}.` : '', Verb = verb[0].toUpperCase() + verb.slice(1);
	if (MEANS[verb] && !await sure(`${Verb} ${process}?`, MEANS[verb] + needed, Verb)) return;
	say(`${Verb}: under way.`);
	const {status, body} = await call(`/api/processes/${encodeURIComponent(process)}/${verb}?wait=30s`, 'POST');
	if (status === 200) toast('ok', `${process} ${DONE[verb]}: ${body.state}${body.pid ? `, pid ${body.pid}` : ''}.`);
	else if (status === 202) toast('ok', `${process}: the ${verb} is under way, and takes longer than usual.`);
	else if (status !== 401) toast('bad', `Cannot ${verb} ${process}: ${body.error}`);
}

async function reload() {
	const {status, body} = await call('/api/reload', 'POST');
	if (status === 401) return;
	if (status !== 200) return toast('bad', `Not reloaded: ${body.error}`, body.errors);
	const {added, removed, restarted, adjusted, failed, needsRestart, warnings} = body;
	const parts = Object.entries({added, removed, restarted: Object.keys(restarted), adjusted: Object.keys(adjusted)})
		.filter(([, names]) => names.length).map(([what, names]) => `${what} ${names.join(', ')}`);
	const bad = Object.entries(failed).map(([one, why]) => `${one} did not come up: ${why}`);
	const later = needsRestart.map(key => `${key} takes effect when procwrap is started again`);
	toast(bad.length ? 'bad' : 'ok', `Config reloaded: ${parts.join('; ') || 'nothing has changed'}.`, [...bad, ...later, ...warnings]);
}

document.addEventListener('click', ({target}) => {
	const button = target.closest('button');
	if (!button) return;
	const {id, dataset: {act, key}} = button;
	if (id === 'key' || key != null || (act || id === 'reload') && !allowed()) ask();
	else if (act) order(act);
	else if (id === 'reload') reload();
	else if (id === 'p-close') location.hash = '';
});

whenAllowed(is => {
	for (const button of document.querySelectorAll('#reload, [data-act]')) {
		set(button, 'aria-disabled', String(!is));
		button.title = is ? '' : 'Needs the token';
	}
	put($('key').lastChild, is ? 'Unlocked' : 'Enter token');
});

// -- the address and the keyboard

function followHash() {
	let wanted = '';
	try { wanted = decodeURIComponent(location.hash.slice(1)); } catch { /* nobody's name */ }
	if (wanted && wanted !== 'list') open(wanted);
	else close();
}

addEventListener('hashchange', followHash);

addEventListener('keydown', event => {
	const {key, target} = event;
	if (key === '/' && !target.closest('input') && !event.ctrlKey && !event.metaKey) {
		event.preventDefault();
		($('panel').contains(target) ? $('l-find') : $('find')).focus();
	}
	if (key !== 'Escape' || document.querySelector('dialog[open]')) return;
	if (target.type === 'search' && target.value) return; // the browser clears it
	if (shownName()) location.hash = '';
	else target.blur();
});

connect();
if (location.hash) followHash();
