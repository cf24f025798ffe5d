// Server-sent events by fetch: unlike EventSource it sends the token, and sees when the line has gone silent.

const SILENCE = 25_000; // the server says something every 10 s
const PATIENCE = [500, 15_000]; // between two attempts

async function* events(response, alive) {
	let rest = '', data = [], type = '', id;
	for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
		alive();
		const lines = (rest + text).split('\n');
		rest = lines.pop();
		for (const line of lines) {
			const [, field, value] = /^(\w*):? ?(.*)/s.exec(line);
			if (field === 'data') data.push(value);
			else if (field === 'event') type = value;
			else if (field === 'id') id = value;
			else if (!line) {
				if (data.length) yield {type, data, id};
				data = [];
				type = '';
			}
		}
	}
}

/* Follow a stream until close(), through every loss of the connection.
	 headers() gives those of the next attempt; on(event) takes what comes; state(name, detail) is told of
	 'open', 'lost' and 'refused' (with the status and why; it ends then). */
export function follow(path, {headers = () => ({}), on, state}) {
	let closed = false, attempt, hurry = () => {}, delay = PATIENCE[0], id;

	async function once() {
		attempt = new AbortController();
		let silence = setTimeout(() => attempt.abort(), SILENCE);
		const alive = () => {
			clearTimeout(silence);
			silence = setTimeout(() => attempt.abort(), SILENCE);
		};
		try {
			const sent = {Accept: 'text/event-stream', ...headers(), ...(id && {'Last-Event-ID': id})};
			const response = await fetch(path, {headers: sent, signal: attempt.signal});
			if (response.status >= 400 && response.status < 500) {
				const body = await response.json().catch(() => ({}));
				closed = true;
				return state('refused', {status: response.status, why: body.error});
			}
			if (!response.ok) return;
			const date = Date.parse(response.headers.get('Date'));
			state('open', date ? date - Date.now() : 0);
			for await (const event of events(response, alive)) {
				if (closed) return;
				delay = PATIENCE[0];
				id = event.id ?? id;
				try { on(event); } catch (error) { reportError(error); }
			}
		} finally {
			clearTimeout(silence);
		}
	}

	(async () => {
		while (!closed) {
			await once().catch(() => {});
			if (closed) return;
			state('lost');
			await new Promise(go => {
				hurry = go;
				setTimeout(go, delay * (.8 + .4 * Math.random()));
			});
			delay = Math.min(delay * 2, PATIENCE[1]);
		}
	})();
	return {
		retry() { delay = PATIENCE[0]; hurry(); },
		close() { closed = true; attempt?.abort(); hurry(); },
	};
}
