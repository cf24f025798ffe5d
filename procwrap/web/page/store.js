// What is known, and who is told of changes: in the next frame, and no longer than a frame may take.

import {WINDOW} from './look.js';

const BUDGET = 8; // milliseconds of a frame
const ROUNDS = 60;
export const FACTS = 1, USAGE = 2, PROBES = 4, GONE = 8;

export const all = new Map();
export const host = {healthy: false, shutdown: false, preempted: false};
export const time = {skew: 0, frozen: null};

const dirty = new Map(), watchers = [], settled = [];
let waiting = false, order = 0, moved = false;

export const now = () => time.frozen ?? performance.now();
export const wall = () => Date.now() + time.skew;
export const uptime = entry => entry.p.uptime == null ? null : entry.p.uptime + (now() - entry.seen) / 1000;

// one(entry, what) for each that has changed; then done(moved), moved when states or names have.
export function watch(one, done) {
	if (one) watchers.push(one);
	if (done) settled.push(done);
}

function mark(entry, what) {
	dirty.set(entry, (dirty.get(entry) ?? 0) | what);
	wake();
}

function wake() {
	if (waiting) return;
	waiting = true;
	requestAnimationFrame(frame);
}

function frame() {
	const end = performance.now() + BUDGET;
	waiting = false;
	for (const [entry, what] of dirty) {
		dirty.delete(entry);
		for (const watcher of watchers) watcher(entry, what);
		if (performance.now() > end) break;
	}
	if (dirty.size) return wake();
	const was = moved;
	moved = false;
	for (const done of settled) done(was);
}

function know(p) {
	let entry = all.get(p.name);
	if (!entry) all.set(p.name, entry = {name: p.name, order: order++, usage: [], rounds: {}});
	moved ||= entry.p?.state !== p.state || entry.p?.reason !== p.reason || entry.p?.healthy !== p.healthy;
	entry.p = p;
	entry.seen = performance.now();
	return entry;
}

function gone(entry) {
	all.delete(entry.name);
	moved = true;
	mark(entry, GONE);
}

const TAKE = {
	snapshot(said) {
		const at = performance.now(), dated = list => list.map(([ago, ...rest]) => [at - ago * 1000, ...rest]);
		const named = new Set(said.processes.map(p => p.name));
		for (const entry of all.values()) if (!named.has(entry.name)) gone(entry);
		order = 0;
		for (const {history = {}, ...p} of said.processes) {
			const entry = know(p);
			entry.order = order++;
			entry.usage = dated(history.usage ?? []);
			entry.rounds = Object.fromEntries(Object.entries(history.rounds ?? {}).map(([check, list]) => [check, dated(list)]));
			mark(entry, FACTS | USAGE | PROBES);
		}
		TAKE.host(said.host);
	},
	process({process}) { mark(know(process), FACTS); },
	gone({name}) { if (all.has(name)) gone(all.get(name)); },
	host(said) {
		Object.assign(host, said, {seen: performance.now()});
		moved = true;
		wake();
	},
	usage({usages}) {
		const at = performance.now();
		for (const [name, {cpu, memoryBytes}] of Object.entries(usages)) {
			const entry = all.get(name);
			if (!entry) continue;
			while (entry.usage[0]?.[0] < at - WINDOW) entry.usage.shift();
			entry.usage.push([at, cpu, memoryBytes]);
			entry.p.usage = {...entry.p.usage, cpu, memoryBytes};
			mark(entry, USAGE);
		}
	},
	round({name, check, healthy, seconds}) {
		const entry = all.get(name);
		if (!entry) return;
		const rounds = entry.rounds[check] ??= [];
		rounds.push([performance.now(), healthy, seconds]);
		if (rounds.length > ROUNDS) rounds.shift();
		mark(entry, PROBES);
	},
};

export function take({type, data}) {
	TAKE[type]?.(JSON.parse(data.join('\n')));
}
