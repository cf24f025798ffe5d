// The token, what needs it, and the two dialogs.

import {$, make, put} from './look.js';

const KEPT = 'procwrap-token', open = document.body.dataset.admitted === 'yes';
const dialog = $('d-token'), sureDialog = $('d-sure'), input = $('d-token-in');
const listeners = [];
let token = sessionStorage.getItem(KEPT) ?? '';

export const allowed = () => open || token !== '';

// Call it now, and whenever the token comes or goes.
export function whenAllowed(listener) {
	listeners.push(listener);
	listener(allowed());
}

function keep(given) {
	token = given;
	if (given) sessionStorage.setItem(KEPT, given);
	else sessionStorage.removeItem(KEPT);
	for (const listener of listeners) listener(allowed());
}

// A header takes bytes, not characters.
const bearer = given => given ? {Authorization: `Bearer ${String.fromCharCode(...new TextEncoder().encode(given))}`} : {};
export const headers = () => bearer(token);

// Ask the API; a token that is not accepted any more is forgotten.
export async function call(path, method = 'GET', given = token) {
	try {
		const response = await fetch(path, {method, headers: bearer(given)});
		const body = await response.json().catch(() => ({}));
		if (response.status === 401) refused(given);
		return {status: response.status, body: {error: `HTTP ${response.status}`, ...body}};
	} catch {
		return {status: 0, body: {error: 'procwrap does not answer'}};
	}
}

export function refused(given = token) {
	if (!given || given !== token) return; // one that is only tried out
	keep('');
	toast('bad', 'The token is no longer accepted; enter it again.');
}

export function ask() {
	put($('d-token-no'), '');
	input.value = '';
	dialog.querySelector('[data-do=forget]').hidden = !token;
	dialog.showModal();
	input.focus();
}

dialog.onsubmit = async event => {
	event.preventDefault();
	const given = input.value.trim();
	if (!given) return wrong('Enter the token.');
	const {status, body} = await call('/api/processes', 'GET', given);
	if (status !== 200) return wrong(status === 401 ? 'This is not the token.' : `${body.error}.`);
	input.value = '';
	keep(given);
	dialog.close();
};

function wrong(why) {
	put($('d-token-no'), why);
	input.setAttribute('aria-invalid', 'true');
	input.select();
}

input.oninput = () => input.removeAttribute('aria-invalid');

dialog.addEventListener('click', ({target}) => {
	if (target.dataset.do === 'forget') keep('');
});
for (const one of [dialog, sureDialog]) one.addEventListener('click', ({target}) => target.dataset.do && one.close());

// Ask whether to do something; resolves with the answer.
export function sure(question, text, yes) {
	put($('d-sure-h'), question);
	put($('d-sure-p'), text);
	put($('d-sure-yes'), yes);
	sureDialog.returnValue = '';
	sureDialog.showModal();
	return new Promise(resolve => { sureDialog.onclose = () => resolve(sureDialog.returnValue === 'yes'); });
}

const MOST = 4;

// Say how something went: for a while, or until it is closed when it is bad.
export function toast(kind, text, details = []) {
	const bad = kind === 'bad', close = make('button', {class: 'bare', 'aria-label': 'Close'}, '×');
	const list = details.length ? make('ul', {class: 'sub'}, ...details.map(detail => make('li', {}, detail))) : '';
	const shown = make('div', {class: 'toast', 'data-tone': kind, role: bad ? 'alert' : 'status'}, make('div', {}, make('p', {}, text), list), close);
	close.onclick = () => shown.remove();
	if (!bad) setTimeout(() => shown.remove(), 6000);
	$('toasts').append(shown);
	while ($('toasts').children.length > MOST) $('toasts').firstChild.remove();
}
