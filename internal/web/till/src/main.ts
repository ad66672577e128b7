import '@tallystick/kit/styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { speech } from './words.svelte.ts';

// No await here: a language's file imports from this one and would wait for it.
void speech.ready.then(() => mount(App, { target: document.getElementById('app')! }));
