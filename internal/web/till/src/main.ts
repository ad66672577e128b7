import '@tallystick/kit/styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { speech } from './words.svelte.ts';

await speech.ready;
mount(App, { target: document.getElementById('app')! });
