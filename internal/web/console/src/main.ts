import '@tallystick/kit/styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { speech } from './words.ts';

void speech.ready.then(() => mount(App, { target: document.getElementById('app')! }));
