import { mount } from 'svelte';
import './styles/base.css';
import App from './App.svelte';
import { keepForOffline } from './offline/register';

const target = document.getElementById('app');
if (target) mount(App, { target });
if (import.meta.env.PROD) keepForOffline();
