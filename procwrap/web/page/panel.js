// The details of one process.

import {FACTS, GONE, PROBES, USAGE, all, uptime, wall, watch} from './store.js';
import {allowed, call, headers, refused, whenAllowed} from './access.js';
import {closeLog, openLog} from './log.js';
import {follow} from './wire.js';
import {current, linkOf} from './table.js';
import {$, FINAL, area, draw, duration, face, lastExit, make, maybe, peak, put, set, share, size, strip, took} from './look.js';

const panel = $('panel'), facts = new Map(), narrow = matchMedia('(max-width: 999px)');
const MOST_EVENTS = 200;
let shown = '', command = '', journal;

export const shownName = () => shown;

export function open(name) {
	if (shown === name) return;
	shown = name;
	command = '';
	appear();
	$('p-checks').replaceChildren();
	$('p-facts').replaceChildren();
	panel.scrollTop = 0;
	show(all.get(name), FACTS | USAGE | PROBES);
	streams();
	$('p-name').focus();
}

export function close() {
	if (!shown) return;
	const link = linkOf(shown);
	shown = '';
	appear();
	streams();
	(link ?? $('list')).focus();
}

function appear() {
	panel.hidden = !shown;
	document.body.classList.toggle('split', shown);
	current(shown);
	// Where the panel covers everything, the rest is out of reach.
	for (const other of document.querySelectorAll('header, #list, .skip')) other.inert = shown && narrow.matches;
}
narrow.onchange = appear;

function show(entry, what) {
	put($('p-name'), shown);
	for (const part of panel.querySelectorAll('.charts, #p-acts')) part.hidden = !entry;
	if (!entry) {
		put($('p-state'), '');
		return put($('p-why'), 'There is no process of this name.');
	}
	const {p, usage, rounds} = entry;
	if (what & FACTS) {
		face(panel, $('p-icon'), p);
		put($('p-state'), p.state);
		put($('p-why'), p.reason);
		for (const button of panel.querySelectorAll('[data-act]'))
			button.hidden = button.dataset.act !== 'restart' && FINAL.includes(p.state) === (button.dataset.act === 'stop');
		tick();
	}
	if (what & (FACTS | USAGE)) {
		const cpu = peak(usage, 1, 0), memory = peak(usage, 2, 0), limit = p.memoryLimitBytes;
		const top = Math.max(memory, limit && memory > limit / 3 ? limit : 0, 1) * 1.1;
		put($('p-cpu'), maybe(p.usage?.cpu, share));
		put($('p-mem'), maybe(p.usage?.memoryBytes, size) + (limit ? ` of ${size(limit)}` : ''));
		chart('c-cpu', 'CPU', share(cpu), area(usage, 1, Math.max(cpu, .05) * 1.1, 600, 100, 120));
		chart('c-mem', 'Memory', size(memory), [...area(usage, 2, top, 600, 100, 120), limit && limit <= top ? `M0 ${100 - limit / top * 100}h600` : '']);
	}
	if (what & (FACTS | PROBES)) checks(p.checks, rounds);
}

function chart(id, what, most, paths) {
	draw([...$(id).children], paths);
	put($(`${id}-max`), paths[1] ? `10 minutes, peak ${most}` : 'no samples yet');
	set($(id), 'aria-label', `${what} of the last 10 minutes, peak ${most}`);
}

export function tick() {
	const entry = all.get(shown);
	if (!entry) return;
	const {p} = entry, causes = Object.entries(p.restartsBy).map(([cause, count]) => `${count} ${cause}`).join(', ');
	const said = {
		'PID': maybe(p.pid, String),
		'Uptime': maybe(uptime(entry), duration),
		'Started': maybe(p.started, text => new Date(text).toLocaleString([], {dateStyle: 'short', timeStyle: 'medium'})),
		'Restarts': p.restarts + (causes && ` (${causes})`),
		'Last exit': lastExit(p, wall()),
		'Depends on': p.dependsOn.join(', '),
		'Command': command || (allowed() ? '' : 'needs the token'),
	};
	for (const [term, text] of Object.entries(said)) {
		if (!facts.has(term)) facts.set(term, make('div', term === 'Command' ? {class: 'wide'} : {}, make('dt', {}, term), make('dd')));
		const pair = facts.get(term);
		if (!pair.isConnected) $('p-facts').append(pair);
		put(pair.lastChild, text || '–');
	}
}

function checks(last, rounds) {
	const kept = new Map([...$('p-checks').children].map(block => [block.dataset.check, block]));
	for (const check of new Set([...Object.keys(last), ...Object.keys(rounds)])) {
		let block = kept.get(check);
		kept.delete(check);
		if (!block) {
			const bars = $('row').content.querySelector('.strip').cloneNode(true);
			set(bars, 'viewBox', '0 0 300 20');
			$('p-checks').append(block = make('section', {'data-check': check}, make('h3'), bars, make('p', {class: 'sub'}), make('ul')));
		}
		const [title, bars, sum, list] = block.children, recent = rounds[check] ?? [], now = last[check];
		const bad = now && !now.healthy, well = recent.filter(([, healthy]) => healthy).length;
		put(title, now ? `${check} ${bad ? `fails ${now.failures}/${now.threshold}` : 'ok'}` : check);
		set(block, 'data-tone', bad ? 'bad' : 'ok');
		draw([...bars.children], strip(recent, 60, 300, 20));
		put(sum, recent.length ? `${well} of ${recent.length} rounds ok, last took ${took(recent.at(-1)[2])}` : '');
		list.replaceChildren(...(now?.probes ?? []).map(probe =>
			make('li', {class: probe.healthy ? '' : 'bad'}, `${probe.probe} ${probe.healthy ? took(probe.seconds) : `– ${probe.reason}`}`)));
	}
	for (const block of kept.values()) block.remove();
}

// What needs the token: the command, and the log or the events, whichever is in sight.
async function streams() {
	const name = shown;
	suspend();
	if (!name) return;
	if (!allowed()) {
		for (const view of ['l-view', 'e-list']) $(view).replaceChildren();
		for (const note of ['l-note', 'e-note']) put($(note), 'Enter the token to read what the process prints.');
		return;
	}
	if ($('v-events').hidden) openLog(name);
	else openJournal(name);
	const {body} = await call(`/api/processes/${encodeURIComponent(name)}`);
	if (shown !== name) return;
	command = body.command ?? '';
	tick();
}

export const resume = streams;

export function suspend() {
	closeLog();
	journal?.close();
}

function openJournal(name) {
	const list = $('e-list'), note = $('e-note');
	list.replaceChildren();
	put(note, 'Connecting…');
	journal = follow('/api/events?follow', {
		headers,
		on({type, data}) {
			const {id, time, event, process, state = event, ...rest} = JSON.parse(data.join('\n'));
			if (type !== 'lifecycle' || process !== name) return;
			const details = Object.entries(rest).filter(([, value]) => value !== null && value !== '')
				.map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(', ');
			list.prepend(make('li', {}, make('time', {}, new Date(time).toLocaleTimeString()), make('b', {}, state), details));
			if (list.children.length > MOST_EVENTS) list.lastChild.remove();
			put(note, '');
		},
		state(what, {why, status} = {}) {
			put(note, {open: list.firstChild ? '' : 'No events yet.', lost: 'Connection lost; trying again.', refused: why}[what]);
			if (status === 401) refused();
		},
	});
}

function select(tab) {
	for (const one of tabs.children) {
		set(one, 'aria-selected', String(one === tab));
		one.tabIndex = one === tab ? 0 : -1;
		$(one.getAttribute('aria-controls')).hidden = one !== tab;
	}
	streams();
}

const tabs = document.querySelector('[role=tablist]');
tabs.onclick = ({target}) => target !== tabs && select(target);
tabs.onkeydown = ({key, target}) => {
	if (key !== 'ArrowLeft' && key !== 'ArrowRight') return;
	const next = target.nextElementSibling ?? target.previousElementSibling;
	next.focus();
	select(next);
};

whenAllowed(is => {
	$('p-locked').hidden = is;
	tick();
	streams();
});

watch((entry, what) => {
	if (entry.name === shown) show(what & GONE ? all.get(shown) : entry, what);
});
